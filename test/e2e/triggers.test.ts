import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { needsPython } from '../../packages/provider-local/test/needs-python.js';
import { edit, type Home, openHome } from '../support.js';

const SERVICE = `service: parcels
provider:
  name: local
functions:
  send:
    handler: src/send.post
    events:
      - http: POST /send/{kind}/{name}
  work:
    handler: src/work.run
    events:
      - queue: orders
      - topic: sales
      - bucket: labels
      - schedule: {name: tidy, rate: rate(1 day), input: {tidy: true}}
  stats:
    handler: src/stats.handler
    runtime: python3.9
    events:
      - http: {method: get, path: /stats, authorizer: {name: check, type: request, identitySource: $request.header.key}}
  check:
    handler: src/send.check
  web:
    command: node server.js
    package: {patterns: [server.js]}
    events:
      - httpApi: GET /web
`;

const FILES: Readonly<Record<string, string>> = {
  'src/send.js': `
export async function post(event) {
  const { kind, name } = event.pathParameters;
  const answer = await fetch(\`\${process.env.SFX_EVENTS_URL}/\${kind}/\${name}\`, { method: 'POST', body: event.body });
  return { statusCode: answer.status, body: await answer.text() };
}
export const check = (event) => ({ isAuthorized: event.headers.key === 'right' });
`,
  'src/work.js': `
import { appendFileSync } from 'node:fs';
export function run(event) {
  const [first] = event.Records ?? [];
  const what = first?.body ?? first?.Sns?.Message ?? first?.s3?.object.key ?? JSON.stringify(event);
  appendFileSync(SEEN, what + '\\n');
}
`,
  'src/stats.py': 'def handler(event, context):\n    return {"from": "python", "path": event["rawPath"]}\n',
  'server.js': `require('http').createServer((req, res) => res.end('program ' + req.url)).listen(process.env.PORT, '127.0.0.1');\n`,
};

describe('every kind of trigger, from the file to the function', () => {
  let home: Home;
  let dir: string;
  let seen: string;
  before(needsPython);
  before(async () => {
    home = await openHome('triggers');
    dir = join(home.dir, 'parcels');
    seen = join(home.dir, 'seen.txt');
    await writeFile(seen, '');
    for (const [name, text] of Object.entries({ ...FILES, 'serverless.yml': SERVICE })) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text.replace('SEEN', JSON.stringify(seen)));
    }
  });
  after(async function () {
    this.timeout(60_000);
    await home.close();
  });

  const sfx = async (exit: number, ...words: string[]) => {
    const ended = await home.sfx(dir, ...words);
    assert.equal(ended.exit, exit, ended.out + ended.err);
    return ended.out;
  };
  const url = async () =>
    (JSON.parse(await sfx(0, 'status', '--json')) as { urls: { http: string } }).urls.http;
  const send = async (to: string, body: string) => {
    const answer = await fetch(`${await url()}/send/${to}`, { method: 'POST', body });
    return { status: answer.status, text: await answer.text() };
  };
  const delivered = async () => (await readFile(seen, 'utf8')).split('\n').filter((line) => line !== '');
  const arrives = async (what: string) => {
    for (let looks = 0; looks < 400; looks++) {
      if ((await delivered()).includes(what)) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.fail(`${what} is not among ${(await delivered()).join(', ')}`);
  };

  it('is deployed and named', async () => {
    const said = await sfx(0, 'deploy');
    for (const pull of ['bucket labels', 'queue orders', 'rate(1 day)', 'topic sales'])
      assert.ok(said.includes(`${pull} -> work`), said);
    assert.ok((await sfx(0, 'status')).includes('queue orders -> work'));
    assert.match(await sfx(0, 'deploy'), /Nothing changed\. .* 0 writes\./);
  }).timeout(60_000);

  it('delivers messages, publications and files', async () => {
    assert.equal((await send('queues/orders', 'an order')).status, 202);
    await arrives('an order');
    assert.equal((await send('topics/sales', 'a sale')).status, 202);
    await arrives('a sale');
    const folder = /bucket labels\s+(\S+)/.exec(await sfx(0, 'local', 'status'))?.[1];
    await writeFile(join(folder!, 'label.txt'), 'x');
    await arrives('label.txt');
  }).timeout(60_000);

  it('asks an authorizer, and answers from Python and from a program', async () => {
    const at = await url();
    const stats = (key?: string) => fetch(`${at}/stats`, key === undefined ? {} : { headers: { key } });
    assert.equal((await stats()).status, 401);
    assert.equal((await stats('wrong')).status, 403);
    assert.deepEqual(await (await stats('right')).json(), { from: 'python', path: '/stats' });
    assert.equal(await (await fetch(`${at}/web`)).text(), 'program /web');
  }).timeout(60_000);

  it('that a canary adds delivers nothing before 100 %, and nothing more after it is taken back', async () => {
    await edit(join(dir, 'serverless.yml'), (text) =>
      text.replace('- queue: orders', '- queue: orders\n      - queue: late'),
    );
    await edit(join(dir, 'src/work.js'), (text) => `${text}// changed\n`);
    assert.ok((await sfx(0, 'deploy', '--canary', '50')).includes('queue late'));
    assert.equal((await send('queues/late', 'too early')).status, 202);
    assert.equal((await send('queues/orders', 'meanwhile')).status, 202);
    await arrives('meanwhile');
    assert.ok(!(await delivered()).includes('too early'));
    assert.ok((await sfx(0, 'promote')).includes('queue late -> work'));
    await arrives('too early');
    assert.ok(!(await sfx(0, 'rollback')).includes('queue late ->'));
    await send('queues/late', 'too late');
    assert.equal((await send('queues/orders', 'afterwards')).status, 202);
    await arrives('afterwards');
    assert.ok(!(await delivered()).includes('too late'));
  }).timeout(90_000);

  it('of a file for AWS runs where it means the same, and is named where it does not', async () => {
    const aws = join(home.dir, 'aws');
    await mkdir(join(aws, 'src'), { recursive: true });
    await writeFile(join(aws, 'src/work.js'), await readFile(join(dir, 'src/work.js')));
    await writeFile(join(aws, 'src/send.js'), FILES['src/send.js']!);
    await writeFile(
      join(aws, 'serverless.yml'),
      `service: api
provider: {name: aws, runtime: nodejs20.x, region: eu-west-1}
functions:
  send:
    handler: src/send.post
    vpc: {subnetIds: [a]}
    events:
      - http: {path: 'send/{kind}/{name}', method: post, authorizer: aws_iam}
  work:
    handler: src/work.run
    events:
      - sqs: {arn: !GetAtt Orders.Arn, batchSize: 1}
      - stream: {type: dynamodb, arn: !GetAtt Table.StreamArn}
resources:
  Resources:
    Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: bought}}
`,
    );
    const ended = await home.sfx(aws, 'deploy', '--provider', 'local');
    assert.equal(ended.exit, 0, ended.err);
    const said = ended.err.replace(/\s+/g, ' ');
    for (const left of ['`vpc` of send', '`resources`', 'authorizer of a route of send', '`stream` of work'])
      assert.ok(said.includes(left), `${left} is not in ${said}`);
    assert.ok(ended.out.includes('queue bought -> work'), ended.out);
    const status = await home.sfx(aws, 'status', '--provider', 'local', '--json');
    const at = (JSON.parse(status.out) as { urls: { http: string } }).urls.http;
    assert.equal((await fetch(`${at}/send/queues/bought`, { method: 'POST', body: 'from aws' })).status, 202);
    await arrives('from aws');
  }).timeout(60_000);
});
