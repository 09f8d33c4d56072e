import {
  fingerprintOf,
  manifestLineOf,
  manifestOf,
  type ManifestPackage,
} from '../../src/model/fingerprint.ts';

const names =
  `acl alternatives audit-libs basesystem bash brotli bzip2-libs ca-certificates coreutils coreutils-common
cracklib crypto-policies curl cyrus-sasl-lib dnf5 elfutils-libelf expat fedora-release fedora-repos file-libs filesystem
findutils gawk gdbm-libs glib2 glibc glibc-common glibc-minimal-langpack gmp gnupg2 gnutls grep json-c keyutils-libs
krb5-libs libacl libarchive libassuan libattr libblkid libcap libcap-ng libcom_err libcurl libeconf libevent libfdisk
libffi libgcc libgcrypt libgpg-error libidn2 libksba libmodulemd libmount libnghttp2 libpsl libpwquality librepo libselinux
libsemanage libsepol libsmartcols libsolv libssh libssh-config libstdc++ libtasn1 libtool-ltdl libunistring libusb1 libuuid
libverto libxcrypt libxml2 libyaml libzstd lua-libs lz4-libs mpdecimal mpfr ncurses-base ncurses-libs nettle npth openldap
openssl openssl-libs p11-kit p11-kit-trust pam pam-libs pcre2 pcre2-syntax popt publicsuffix-list-dafsa python3
python3-libs readline rpm rpm-libs rpm-sequoia sed setup shadow-utils sqlite-libs systemd-libs tpm2-tss tzdata
util-linux-core vim-data vim-minimal xz-libs zchunk-libs zlib-ng-compat zstd`.split(/\s+/);

const arches = ['x86_64', 'aarch64'];

/** Returns the manifest of a compose of some hundred packages; `release` is that of what changes. */
export function seededManifest(release: number, changing: readonly string[]): readonly string[] {
  const packages: ManifestPackage[] = arches.flatMap((arch) =>
    names.map((name, at) => {
      const of = changing.includes(name) ? release : 1 + (at % 7);
      const version = name.startsWith('openssl') ? '3.2.1' : `${1 + (at % 9)}.${at % 23}.${at % 4}`;
      return {
        variant: 'Temporary',
        arch,
        kind: 'binary',
        nevra: `${name}-${name.startsWith('openssl') ? 1 : 0}:${version}-${of}.fc44.${arch}`,
        payload: `sha256:${name}-${of}`,
        sigkey: at % 40 === 39 ? null : '6d9f90a6',
        fileName: '',
        reference: '',
      };
    }),
  );
  return manifestOf({
    variants: [],
    trees: arches.map((arch) => ({ variant: 'Temporary', arch })),
    documents: [],
    packageLines: packages.map(manifestLineOf),
    options: { gather: 'deps', multilib: '' },
  });
}

/** Returns why each package is in a seeded compose, as its directory tells: by arch and file. */
export function seededReasonsByFile(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const ofArch = arches.map((arch) => {
    const held = seededManifest(5, ['openssl', 'openssl-libs']).flatMap((line) => {
      const [word, place, , nevra = ''] = line.split('\t');
      return word === 'package' && place === arch ? [nevra.replace(/-0:/, '-')] : [];
    });
    const reasons = held.map((nevra, at) => {
      const name = nevra.replace(/-[^-]*-[^-]*$/, '');
      const by = held[at - 1] ?? '';
      const file = `${nevra.replace(/-\d+:/, '-')}.rpm`;
      return at % 4 === 0
        ? [file, `${nevra} is input, it matches "${name}".`]
        : [file, `${nevra} is required by ${by} through "${name}(x86-64)".`];
    });
    return [arch, Object.fromEntries(reasons)];
  });
  return Object.fromEntries(ofArch);
}

/** The same as the text of the file. */
export const seededReasons = (): string => JSON.stringify(seededReasonsByFile());

/** Returns the fingerprint of a manifest. */
export const seededFingerprint = (lines: readonly string[]): string => fingerprintOf([...lines]);
