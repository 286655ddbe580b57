import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { load, problems } from './project.js';

const files = (handler: string, rest = '') => ({
  'serverless.yml': `service: shop\nprovider:\n  name: local\nfunctions:\n  list:\n    handler: ${handler}\n${rest}`,
  'src/list.js': '',
  'src/admin/users.ts': '',
  'src/job.py': '',
  'top.mjs': '',
});

describe('handlers', () => {
  it('name a file that is there, in any ending of their language', async () => {
    for (const handler of ['src/list.get', './src/list.get', 'src/admin/users.list', 'top.main']) {
      assert.equal((await load(files(handler))).service.functions[0]?.handler, handler);
    }
    await load(files('src/job.run', '    runtime: python3.12\n'));
    await load(files('com.shop.List::get', '    runtime: java21\n'));
  });

  it('that are not there are marked, with the file that was likely meant', async () => {
    const [problem] = await problems(files('scr/list.get'));
    assert.equal(problem?.code, 'SFX2301');
    assert.deepEqual(problem?.at, { file: 'serverless.yml', line: 6, column: 14, length: 8 });
    assert.equal(problem?.message, 'no scr/list.{ts,js,mjs,cjs}; did you mean src/list?');
    assert.equal(
      problem?.frame,
      [
        '  5 |   list:',
        '  6 |     handler: scr/list.get',
        '    |              ^^^^^^^^ no scr/list.{ts,js,mjs,cjs}; did you mean src/list?',
      ].join('\n'),
    );
    const seen = async (handler: string) => (await problems(files(handler)))[0]?.message;
    assert.equal(await seen('src/lst.get'), 'no src/lst.{ts,js,mjs,cjs}; did you mean src/list?');
    assert.equal(await seen('src/List.get'), 'no src/List.{ts,js,mjs,cjs}; did you mean src/list?');
    assert.equal(
      await seen('src/amdin/user.x'),
      'no src/amdin/user.{ts,js,mjs,cjs}; did you mean src/admin/users?',
    );
    assert.equal(await seen('nowhere/near/it.x'), 'no nowhere/near/it.{ts,js,mjs,cjs}');
    assert.equal(await seen('src/job.run'), 'no src/job.{ts,js,mjs,cjs}');
  });

  it('need an export', async () => {
    for (const handler of ['src/list', 'src/list.', 'src/.get']) {
      assert.equal((await problems(files(handler)))[0]?.code, 'SFX2202', handler);
    }
  });

  it('may only be missing where there is an image', async () => {
    const text = (rest: string) => ({
      'serverless.yml': `service: shop\nprovider:\n  name: aws\nfunctions:\n  list:\n${rest}`,
    });
    assert.deepEqual(
      (await problems(text('    timeout: 3\n'))).map(({ code, message }) => `${code} ${message}`),
      ['SFX2203 list has no handler'],
    );
    assert.equal((await load(text('    image: repo/x\n'))).service.functions[0]?.native['image'], 'repo/x');
  });
});
