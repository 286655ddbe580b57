// Calls over HTTP, `width` at once on connections that are kept.
import { Agent, get } from 'node:http';

const PATIENCE_MS = 30_000;

function call(agent, url, any) {
  return new Promise((resolve) => {
    const request = get(url, { agent, timeout: PATIENCE_MS }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => (body += text));
      answer.on('error', (error) => resolve({ lost: error.message }));
      answer.on('end', () => {
        if (answer.statusCode !== 200 && !any) resolve({ lost: `${answer.statusCode} ${body}` });
        else resolve({ release: answer.headers['x-sfx-release'], body });
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => resolve({ lost: error.message }));
  });
}

/**
 * Calls the `urls` in turn until `enough(count)`. `during(progress)` runs beside it, and calls go on until it is over;
 * `progress(n)` resolves when n calls were made. Answers how many calls there were, which release answered how many, and
 * what became of those that had no answer of a function. `any`: an answer of any status counts.
 */
export async function load(urls, { calls, width = 20, any = false, during = async () => {} }) {
  const agent = new Agent({ keepAlive: true, maxSockets: width });
  const releases = new Map();
  const lost = [];
  const waiting = [];
  let made = 0;
  let over = false;
  const progress = (n) => new Promise((resolve) => waiting.push({ n, resolve }));
  const beside = during(progress).finally(() => (over = true));
  const one = async () => {
    while (made < calls || !over) {
      const { lost: reason, release } = await call(agent, urls[made++ % urls.length], any);
      if (reason !== undefined) lost.push(reason);
      else releases.set(release, (releases.get(release) ?? 0) + 1);
      while (waiting.length > 0 && waiting[0].n <= made) waiting.shift().resolve();
    }
  };
  try {
    await Promise.all([beside, ...Array.from({ length: width }, one)]);
  } finally {
    agent.destroy();
  }
  return { calls: made, releases, lost };
}
