/**
 * Whether a file stands in primary too, where it can be required without filelists: all of /etc, everything
 * below a directory that ends in `bin`, and sendmail. Source: createrepo_c 0.17.
 */
export function isPrimaryFile(path: string): boolean {
  return path.startsWith('/etc/') || path.includes('bin/') || path === '/usr/lib/sendmail';
}
