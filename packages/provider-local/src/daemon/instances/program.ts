/** What a thread runs. */
export interface ThreadProgram {
  readonly code: string | URL;
  /** `code` is the program itself. */
  readonly eval: boolean;
}

/**
 * The file `worker.js` beside this one. From the sources, where a thread could not read TypeScript, the same program made
 * in memory with the build's own tool, so that an instance starts as fast there as it does from what is published.
 */
export async function threadProgram(): Promise<ThreadProgram> {
  if (!import.meta.url.endsWith('.ts')) return { code: new URL('./worker.js', import.meta.url), eval: false };
  const { buildSync } = (await import(import.meta.resolve('esbuild'))) as {
    buildSync(options: object): { outputFiles: { text: string }[] };
  };
  const file = decodeURIComponent(new URL('./worker.ts', import.meta.url).pathname);
  const built = buildSync({
    entryPoints: [file],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  });
  return { code: built.outputFiles[0]!.text, eval: true };
}
