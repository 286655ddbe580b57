import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>sfx local engine</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>sfx local engine</h1><span id="engine" class="dim"></span><span id="state" class="dim">connecting</span></header>
<main id="services"></main>
<h3>Activations</h3>
<section id="activations"></section>
<noscript>This page needs JavaScript; sfx status and sfx activations tell the same.</noscript>
<script>${SCRIPT}</script>
</body>
</html>
`;

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but what is in the page runs, it talks to nobody but the engine, and no other page may frame it. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The page that shows what the engine does: names, releases, splits, counts; no payload, result or log. */
export function sendPage(res: ServerResponse): void {
  const body = Buffer.from(HTML);
  res.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': body.length,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  res.end(body);
}
