import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** What these tests use of a page. */
export interface Page {
  goto(url: string): Promise<unknown>;
  on(event: 'pageerror' | 'console', listen: (message: { text?(): string; message?: string }) => void): void;
  evaluate<T>(script: string): Promise<T>;
  waitForFunction(script: string, options?: { timeout: number }): Promise<unknown>;
}

export interface Browser extends AsyncDisposable {
  page(): Promise<Page>;
}

/**
 * A real Chromium without a window, from the folder that `npm run test:emulators` installed it into (`SFX_BROWSER`).
 * A test that is run without it fails: it is not left out in silence.
 */
export async function openBrowser(): Promise<Browser> {
  const folder = process.env['SFX_BROWSER'];
  assert.ok(folder, 'SFX_BROWSER is not set: these tests are run by `npm run test:emulators`');
  const require = createRequire(`${folder}/package.json`);
  const load = async (name: string) => {
    const module = (await import(pathToFileURL(require.resolve(name)).href)) as { default: unknown };
    return module.default;
  };
  const chromium = (await load('@sparticuz/chromium')) as {
    args: string[];
    executablePath(): Promise<string>;
  };
  const puppeteer = (await load('puppeteer-core')) as {
    launch(options: object): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
  };
  const browser = await puppeteer.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--no-sandbox'],
    headless: 'shell',
  });
  return { page: () => browser.newPage(), [Symbol.asyncDispose]: () => browser.close() };
}
