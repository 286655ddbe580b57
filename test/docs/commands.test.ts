import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blocksOf, guides, root, textOf } from './documents.js';
import { needBuilt, openWorld, type World } from './world.js';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** Lines that would install or test the whole repository: their scripts must exist, they are not run. */
function ownScripts(script: string): readonly string[] | undefined {
  const words = script.split(/\n|&&/).map((part) => part.trim());
  const names = words.map((word) => /^npm (?:run )?([a-z]+)$/.exec(word)?.[1]);
  return names.every((name) => name !== undefined) ? names : undefined;
}

describe('commands in the documents', () => {
  before(needBuilt);

  for (const path of guides) {
    describe(path, () => {
      let world: World;
      before(async () => {
        world = await openWorld(path.startsWith('examples/') ? dirname(path) : '.');
      });
      after(() => world.close());

      const blocks = blocksOf(textOf(path));
      it('has some', () => assert.ok(blocks.length > 0));
      for (const block of blocks) {
        const first = block.script.split('\n')[0]!;
        const names = ownScripts(block.script);
        if (names !== undefined) {
          it(`line ${block.line}: ${first}: its scripts exist`, () => {
            for (const name of names) assert.ok(name === 'ci' || scripts[name] !== undefined, name);
          });
          continue;
        }
        it(`line ${block.line}: ${first}`, async function () {
          for (const program of block.needs) if (!(await world.has(program))) this.skip();
          for (const command of block.before) {
            const { code, output } = await world.run(command);
            assert.equal(code, 0, `${command}\n${output}`);
          }
          const { code, output } = await world.run(block.script);
          assert.equal(code, block.exit, output);
          for (const text of block.prints) assert.ok(output.includes(text), `${text} is not in:\n${output}`);
        }).timeout(60_000);
      }
    });
  }
});
