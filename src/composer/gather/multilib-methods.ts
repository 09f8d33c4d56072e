import { matchNamePattern } from '../../model/name-pattern.ts';

/** How the 32-bit companions of a compose are chosen. */
export type MultilibMethod = 'none' | 'all' | 'runtime' | 'devel';

/** What a method looks at: the 32-bit package. */
export interface MultilibCandidate {
  readonly name: string;
  provides(): readonly string[];
  /** Whether any file is one of the runtime method's; null while the files are not known. */
  readonly hasRuntimeFile: boolean | null;
}

const runtimeBlack = new Set(['httpd', 'php', 'tomcat-native']);
const runtimeWhite = new Set(
  (
    'libflashsupport libgnat lmms-vst nspluginwrapper perl-libs redhat-lsb syslinux-extlinux-nonlinux ' +
    'syslinux-nonlinux syslinux-tftpboot valgrind wine yaboot'
  ).split(' '),
);
const develBlack = new Set(
  (
    'dmraid-devel httpd-devel kdeutils-devel mkinitrd-devel java-1.5.0-gcj-devel java-1.6.0-openjdk-devel ' +
    'java-1.7.0-icedtea-devel java-1.7.0-openjdk-devel java-1.8.0-openjdk-devel php-devel'
  ).split(' '),
);

const libraryFolders = new Set(['/lib', '/lib64', '/usr/lib', '/usr/lib64']);
const wholeFolders = new Set([
  ...['alsa-lib', 'dri', 'gtk-2.0/modules', 'gtk-2.0/immodules', 'krb5/plugins', 'sasl2', 'vdpau'].flatMap(
    (folder) => [`/usr/lib/${folder}`, `/usr/lib64/${folder}`],
  ),
  '/lib/security',
  '/lib64/security',
  '/etc/lsb-release.d',
]);
const deepPaths = [
  ...['engines', 'modules', 'immodules', 'loaders', 'printbackends', 'filesystems'].map(
    (folder) => `/usr/lib*/gtk-2.0/*/${folder}/*`,
  ),
  '/usr/lib*/gstreamer-*/*',
  '/usr/lib*/qt*/plugins/*',
  '/usr/lib*/kde*/plugins/*',
  '/usr/lib*/qt5/qml/*',
  '/usr/lib*/gdk-pixbuf-2.0/*/loaders/*',
  '/usr/lib*/xine/plugins/*',
  '/usr/lib*/oprofile/*.so.*',
  '/usr/lib*/wine/*.so',
  '/usr/lib*/sane/libsane-*',
].map(matchNamePattern);

/** What every deep path has in it. */
const deepFolder = /\/(?:gtk-2\.0|gstreamer-|qt|kde|gdk-pixbuf-2\.0|xine|oprofile|wine|sane)/;

/** Whether a file makes its package one of the runtime method's. Source: pungi contract 1.9. */
export function isRuntimePath(path: string): boolean {
  if (!path.startsWith('/usr/lib') && !path.startsWith('/lib') && !path.startsWith('/etc/')) return false;
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, slash);
  const file = path.slice(slash + 1);
  if (libraryFolders.has(folder) && file.includes('.so.')) return true;
  if (wholeFolders.has(folder)) return true;
  if (folder === '/etc/ld.so.conf.d') return file.endsWith('.conf');
  if (folder === '/lib' || folder === '/lib64')
    return file.startsWith('libnss_') || file.startsWith('libdb-');
  return path.startsWith('/usr/lib') && deepFolder.test(path) && deepPaths.some((isMatch) => isMatch(path));
}

function isKernel(name: string): boolean {
  return name.startsWith('kernel');
}

function selectsRuntime(candidate: MultilibCandidate): boolean | null {
  if (runtimeBlack.has(candidate.name)) return false;
  if (runtimeWhite.has(candidate.name)) return true;
  if (isKernel(candidate.name) && candidate.provides().includes('kernel')) return false;
  return candidate.hasRuntimeFile;
}

function isDevelName(name: string): boolean {
  return name.endsWith('-devel') || name.endsWith('-static');
}

function selectsDevel(candidate: MultilibCandidate): boolean | null {
  const { name } = candidate;
  if (develBlack.has(name)) return false;
  if (selectsRuntime(candidate) === true) return true;
  if (name.startsWith('ghc-')) return false;
  if (isKernel(name)) {
    const provides = candidate.provides();
    if (provides.includes('kernel-devel')) return false;
    if (provides.some(isDevelName)) return true;
  }
  return isDevelName(name) ? true : selectsRuntime(candidate);
}

/**
 * Whether a method takes a 32-bit package; null when that hangs on files that are not known yet.
 * Source: pungi contract 1.9 (the lists of python-multilib).
 */
export function selectsMultilib(method: MultilibMethod, candidate: MultilibCandidate): boolean | null {
  switch (method) {
    case 'none':
      return false;
    case 'all':
      return true;
    case 'runtime':
      return selectsRuntime(candidate);
    case 'devel':
      return selectsDevel(candidate);
    default:
      return method satisfies never;
  }
}
