/** What a file is, as metadata tell it. */
export interface ImageKind {
  readonly type: string;
  readonly format: string;
}

type Row = readonly [type: string, suffix: string, format?: string];

/** What the formats of Koji's images end in. Source: Pungi, EXTENSIONS. */
const usual: readonly Row[] = [
  ['docker', 'tar.gz'],
  ['docker', 'tar.xz'],
  ['iso', 'iso'],
  ['liveimg-squashfs', 'liveimg.squashfs'],
  ['qcow', 'qcow'],
  ['qcow2', 'qcow2'],
  ['raw', 'raw'],
  ['raw-xz', 'raw.xz'],
  ['rhevm-ova', 'rhevm.ova'],
  ['tar-gz', 'tar.gz'],
  ['vagrant-hyperv', 'vagrant-hyperv.box'],
  ['vagrant-libvirt', 'vagrant-libvirt.box'],
  ['vagrant-libvirt', 'vagrant.libvirt.box'],
  ['vagrant-virtualbox', 'vagrant-virtualbox.box'],
  ['vagrant-virtualbox', 'vagrant.virtualbox.box'],
  ['vagrant-vmware-fusion', 'vagrant-vmware-fusion.box'],
  ['vdi', 'vdi'],
  ['vmdk', 'vmdk'],
  ['vpc', 'vhd'],
  ['vpc', 'vhdfixed'],
  ['vhd-compressed', 'vhd.gz'],
  ['vhd-compressed', 'vhd.xz'],
  ['vsphere-ova', 'vsphere.ova'],
];

/** What comes first, by phase; `boot` is what an ISO file most likely is. Source: Pungi, KIWIEXTENSIONS and the like. */
const own: Readonly<Record<'kiwibuild' | 'imagebuilder', readonly Row[]>> = {
  kiwibuild: [
    ['vhd-compressed', 'vhdfixed.xz', 'vhd.xz'],
    ['vagrant-libvirt', 'vagrant.libvirt.box', 'vagrant-libvirt.box'],
    ['vagrant-virtualbox', 'vagrant.virtualbox.box', 'vagrant-virtualbox.box'],
    ['boot', '.iso', 'iso'],
    ['fex', 'erofs.xz'],
    ['fex', 'erofs.gz'],
    ['fex', 'erofs'],
    ['fex', 'squashfs.xz'],
    ['fex', 'squashfs.gz'],
    ['fex', 'squashfs'],
    ['container', 'oci.tar.xz'],
    ['wsl2', 'wsl'],
  ],
  imagebuilder: [
    ['vagrant-libvirt', 'vagrant.libvirt.box', 'vagrant-libvirt.box'],
    ['vagrant-virtualbox', 'vagrant.virtualbox.box', 'vagrant-virtualbox.box'],
    ['container', 'oci.tar.xz', 'tar.xz'],
    ['wsl2', 'wsl'],
    ['boot', '.iso', 'iso'],
  ],
};

/** Returns what a file that a task brought is; null for what is no image: logs, manifests. */
export function kindOfFile(phase: 'kiwibuild' | 'imagebuilder', fileName: string): ImageKind | null {
  const found = [...own[phase], ...usual].find(([, suffix]) => fileName.endsWith(suffix));
  if (found === undefined) return null;
  const [type, suffix, format = suffix] = found;
  return { type, format };
}

/** Returns what an archive of osbuild is; null for what is no image. Source: Pungi, phase osbuild. */
export function kindOfArchive(typeName: string, fileName: string): ImageKind | null {
  const found = usual.find(([type, suffix]) => type === typeName && fileName.endsWith(suffix));
  if (found === undefined) return null;
  const [type, format] = found;
  return { type: type === 'iso' ? typeOfIso(fileName.toLowerCase()) : type, format };
}

function typeOfIso(fileName: string): string {
  if (fileName.includes('ostree')) return 'dvd-ostree-osbuild';
  if (fileName.includes('live')) return 'live-osbuild';
  return fileName.includes('netinst') || fileName.includes('boot') ? 'boot' : 'dvd';
}
