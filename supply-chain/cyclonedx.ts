import { resolvePackage, type LockedPackage, type LockFile } from './lock-file.ts';

const algorithms: Readonly<Record<string, string>> = {
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** Returns the package URL of an npm package. */
export function purlOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}

function hashesOf(integrity: string): { alg: string; content: string }[] {
  return integrity.split(' ').flatMap((part) => {
    const dash = part.indexOf('-');
    const alg = algorithms[part.slice(0, dash)];
    return alg === undefined
      ? []
      : [{ alg, content: Buffer.from(part.slice(dash + 1), 'base64').toString('hex') }];
  });
}

function licenseOf(license: string): { license: { id: string } } | { expression: string } {
  return /[ ()]/.test(license) ? { expression: license } : { license: { id: license } };
}

function scopeOf({ dev, optional }: LockedPackage): 'required' | 'optional' | 'excluded' {
  if (dev === true) return 'excluded';
  return optional === true ? 'optional' : 'required';
}

function describe(locked: LockedPackage) {
  const slash = locked.name.startsWith('@') ? locked.name.indexOf('/') : -1;
  return {
    type: 'library',
    'bom-ref': purlOf(locked),
    ...(slash < 0 ? {} : { group: locked.name.slice(0, slash) }),
    name: locked.name.slice(slash + 1),
    version: locked.version,
    scope: scopeOf(locked),
    ...(locked.integrity === undefined ? {} : { hashes: hashesOf(locked.integrity) }),
    ...(locked.license === undefined ? {} : { licenses: [licenseOf(locked.license)] }),
    purl: purlOf(locked),
    // Vulnerabilities of Node are known under this name, not under that of the package that carries it.
    ...(/^node-(?:linux|darwin|win)-/.test(locked.name)
      ? { cpe: `cpe:2.3:a:nodejs:node.js:${locked.version}:*:*:*:-:*:*:*` }
      : {}),
  };
}

/**
 * Returns the software bill of materials of what the lock file installs, in CycloneDX 1.6. What is for development
 * only has the scope `excluded`, what is for one platform only `optional`. The same lock file gives the same document.
 */
export function makeSbom({ root, workspaces, packages }: LockFile) {
  const byPath = new Map(packages.map((locked) => [locked.path, locked]));
  const dependsOn = (path: string, wanted: Record<string, string>): string[] => {
    const found = Object.keys(wanted).flatMap((name) => resolvePackage(byPath, path, name) ?? []);
    return [...new Set(found.map(purlOf))].sort();
  };
  // A package that lies in two places is one component.
  const components = new Map(packages.map((locked) => [purlOf(locked), describe(locked)]));
  const edges = new Map<string, string[]>();
  for (const locked of packages) {
    const wanted = { ...locked.dependencies, ...locked.optionalDependencies, ...locked.peerDependencies };
    const targets = [...(edges.get(purlOf(locked)) ?? []), ...dependsOn(locked.path, wanted)];
    edges.set(purlOf(locked), [...new Set(targets)].sort());
  }
  const own = purlOf(root);
  // What the other packages of this repository need is installed with the rest.
  const direct = [
    ...new Set(
      [{ ...root, path: '' }, ...workspaces].flatMap((asking) =>
        dependsOn(asking.path, {
          ...asking.dependencies,
          ...asking.optionalDependencies,
          ...asking.devDependencies,
        }),
      ),
    ),
  ].sort();
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': own,
        name: root.name,
        version: root.version,
        ...(root.license === undefined ? {} : { licenses: [licenseOf(root.license)] }),
        purl: own,
      },
    },
    components: [...components.values()],
    dependencies: [
      { ref: own, dependsOn: direct },
      ...[...edges].map(([ref, targets]) => ({ ref, dependsOn: targets })),
    ],
  };
}
