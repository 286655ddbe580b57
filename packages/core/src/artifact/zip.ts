import { type Zippable, zipSync } from 'fflate';

export interface ZipFile {
  /** With `/` between folders, relative to the root of the artifact. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly executable?: boolean;
}

/** The format writes local time: noon of one fixed day has the same local fields in every time zone. */
const fixedDate = new Date(1980, 0, 1, 12);
const unix = 3;
const regularFile = 0o100000;

/**
 * The same files give the same bytes: in any order, on any machine, in any time zone, under any umask.
 * Compressed in JavaScript, because what zlib writes depends on its version and on the processor.
 */
export function zip(files: readonly ZipFile[]): Uint8Array {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const tree: Zippable = Object.fromEntries(
    sorted.map(({ name, bytes, executable }) => {
      const mode = regularFile | (executable === true ? 0o755 : 0o644);
      return [name, [bytes, { mtime: fixedDate, os: unix, attrs: mode << 16, level: 6 }]];
    }),
  );
  return zipSync(tree);
}
