import { Agent, request } from 'node:http';

/** What calls met. `lost`: no answer, or one of the server's own failures; with why. */
export interface Load {
  readonly calls: number;
  readonly lost: readonly string[];
  /** `x-sfx-release` → answers. */
  readonly byRelease: Readonly<Record<string, number>>;
  /** Body → answers. */
  readonly bodies: ReadonlyMap<string, number>;
}

export interface LoadOptions {
  readonly clients?: number;
  /** Stops by itself after so many calls. */
  readonly calls?: number;
  /** Milliseconds between two calls of one client; default 0. */
  readonly pauseMs?: number;
}

/** Calls a URL over and over, from several clients with connections that are kept. */
export function startLoad(
  url: string,
  options: LoadOptions = {},
): { readonly met: Load; stop(): Promise<Load> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const lost: string[] = [];
  const byRelease: Record<string, number> = {};
  const bodies = new Map<string, number>();
  let calls = 0;
  let stopped = false;
  const met: Load = {
    get calls() {
      return calls;
    },
    lost,
    byRelease,
    bodies,
  };
  const once = async (): Promise<void> => {
    calls += 1;
    try {
      const { status, release, body } = await call(url, agent);
      if (status >= 500) lost.push(`${status} ${body}`);
      byRelease[release] = (byRelease[release] ?? 0) + 1;
      bodies.set(body, (bodies.get(body) ?? 0) + 1);
    } catch (error) {
      lost.push(error instanceof Error ? error.message : String(error));
    }
  };
  const client = async (): Promise<void> => {
    while (!stopped && calls < (options.calls ?? Infinity)) {
      await once();
      if (options.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
    }
  };
  const clients = Promise.all(Array.from({ length: options.clients ?? 8 }, client));
  return {
    met,
    async stop() {
      stopped = options.calls === undefined;
      await clients;
      agent.destroy();
      return met;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly release: string;
  readonly body: string;
}

function call(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => (body += text));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          release: String(answer.headers['x-sfx-release'] ?? 'none'),
          body,
        }),
      );
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that the server closes while a call is on its way was not taken up: clients send it anew.
      if (error.code === 'ECONNRESET' && asked.reusedSocket) resolve(call(url, agent));
      else reject(error);
    });
    asked.end();
  });
}
