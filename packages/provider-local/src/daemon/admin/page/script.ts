/**
 * What runs in the browser: takes snapshots (`LiveSnapshot` in wire.ts) from `/live` and draws them. Names come from
 * services, so they are only ever set as text. Written for browsers, without a build: no types, no imports.
 */
export const SCRIPT = `
'use strict';
const $ = (id) => document.getElementById(id);

function el(tag, options, ...children) {
  const node = document.createElement(tag);
  const { cls, text, title, href, test } = options || {};
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  if (title) node.title = title;
  if (href) node.href = href;
  if (test) node.dataset.test = test;
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const cell = (text, cls) => el('td', { cls, text });
const time = (ms) => (ms === null ? '' : new Date(ms).toLocaleTimeString());
const duration = (ms) => (ms === null ? '' : ms < 1000 ? Math.round(ms * 10) / 10 + ' ms' : (ms / 1000).toFixed(1) + ' s');

function table(heads, rows) {
  const head = el('tr', {}, ...heads.map(([text, cls]) => el('th', { text, cls })));
  return el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows));
}

function bar(percent, canary) {
  const inner = el('i', { cls: canary ? 'c' : '' });
  inner.style.width = percent + '%';
  return el('span', { cls: 'bar', title: percent + ' %' }, inner);
}

function versionRow(fn, version, canary, first) {
  const minute = version.minute;
  const errors = minute ? ((100 * minute.errors) / Math.max(1, minute.requests)).toFixed(1) + ' %' : '';
  const share = el('td', {}, bar(version.percent, canary), document.createTextNode(' ' + version.percent + ' %'));
  const role = canary ? 'canary' : 'stable';
  const row = el('tr', { test: fn.name + ' ' + role },
    cell(first ? fn.name : ''), el('td', {}, el('code', { text: version.version })),
    cell(version.release === null ? '' : String(version.release), 'n'), cell(role, canary ? 'canary' : ''), share,
    cell(minute ? String(minute.requests) : '0', 'n'), cell(errors, 'n ' + (minute && minute.errors > 0 ? 'bad' : '')),
    cell(minute ? duration(minute.p95Ms) : '', 'n'), cell(String(version.instances), 'n'));
  return row;
}

function releaseLine(service) {
  if (service.live === null && service.open === null) return el('span', { cls: 'dim', text: 'nothing is live' });
  const parts = [];
  if (service.live !== null) parts.push(el('span', { cls: 'ok', text: 'release ' + service.live + ' stable' }));
  if (service.open !== null) parts.push(el('span', { cls: 'canary', text: 'release ' + service.open + ' canary' }));
  return el('span', { test: 'release' }, ...parts.flatMap((part, n) => (n ? [' \\u00b7 ', part] : [part])));
}

function serviceCard(service) {
  const rows = service.functions.flatMap((fn) => [
    versionRow(fn, fn.stable, false, true),
    ...(fn.candidate ? [versionRow(fn, fn.candidate, true, false)] : []),
  ]);
  const heads = [['function'], ['version'], ['release', 'n'], [''], ['share'], ['calls / min', 'n'], ['errors', 'n'], ['p95', 'n'], ['instances', 'n']];
  const queues = service.queues.map((one) => el('li', {},
    el('span', { text: 'queue ' + one.name + ' ' }),
    el('span', { cls: 'dim', text: one.visible + ' waiting, ' + one.inFlight + ' in work, ' + one.delayed + ' delayed' })));
  const triggers = service.triggers.map((one) => el('li', {},
    el('code', { text: one.source }), document.createTextNode(' \\u2192 ' + one.function),
    one.enabled ? null : el('span', { cls: 'dim', text: ' (waits for promote)' })));
  const card = el('section', { test: service.service + '/' + service.stage },
    el('div', { cls: 'head' }, el('h2', { text: service.service + ' \\u00b7 ' + service.stage }), releaseLine(service),
      service.url ? el('a', { href: service.url, text: service.url }) : el('span', { cls: 'bad', text: 'no address' })),
    table(heads, rows));
  if (triggers.length) card.append(el('ul', {}, ...triggers));
  if (queues.length) card.append(el('ul', {}, ...queues));
  return card;
}

function activationRow(one) {
  const good = one.status === 'ok';
  return el('tr', { test: 'activation' },
    cell(time(one.started)), el('td', {}, el('code', { text: one.id.slice(0, 8), title: one.id })),
    cell(one.service + ' \\u00b7 ' + one.stage), cell(one.function), cell(one.release === null ? '' : String(one.release), 'n'),
    cell(one.cause), cell(one.status, good ? 'ok' : one.status === 'failed' ? 'bad' : 'dim'),
    cell(duration(one.durationMs), 'n'), cell(one.cold === null ? '' : one.cold ? 'cold' : 'warm', 'dim'));
}

function draw(snapshot) {
  const { engine, services, activations } = snapshot;
  $('engine').textContent = 'sfx ' + engine.version + ', pid ' + engine.pid;
  $('services').replaceChildren(...(services.length
    ? services.map(serviceCard)
    : [el('p', { cls: 'dim', text: 'No service is on this engine. sfx deploy puts one there.' })]));
  const heads = [['started'], ['activation'], ['service'], ['function'], ['release', 'n'], ['cause'], ['status'], ['duration', 'n'], ['']];
  $('activations').replaceChildren(activations.length
    ? table(heads, activations.map(activationRow))
    : el('p', { cls: 'dim', text: 'No call was kept yet.' }));
}

const source = new EventSource('/live');
source.onmessage = (event) => { $('state').textContent = 'live'; $('state').className = 'ok'; draw(JSON.parse(event.data)); };
source.onerror = () => { $('state').textContent = 'the engine does not answer; what is shown is old'; $('state').className = 'bad'; };
`;
