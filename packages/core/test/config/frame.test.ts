import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { renderFrame } from '../../src/config/index.js';
import { positionOf, sourceText } from '../../src/config/text.js';

describe('code frames', () => {
  it('show the line, the one before it, and marks with a note', () => {
    const source = sourceText('/a', 'a', 'a: 1\nb: two\nc: 3\n');
    assert.equal(
      renderFrame(source, { file: 'a', line: 2, column: 4, length: 3 }, 'why'),
      '  1 | a: 1\n  2 | b: two\n    |    ^^^ why',
    );
    assert.equal(renderFrame(source, { file: 'a', line: 1, column: 1 }), '  1 | a: 1\n    | ^');
  });

  it('keep marks below what they mean where tabs and control characters stand', () => {
    const source = sourceText('/a', 'a', 'a:\tb\u001b[31m\u202ex\n');
    assert.equal(
      renderFrame(source, { file: 'a', line: 1, column: 4, length: 1 }),
      '  1 | a: b [31m x\n    |    ^',
    );
  });

  it('cut long lines around the mark', () => {
    const source = sourceText('/a', 'a', `${'x'.repeat(500)}HERE${'y'.repeat(500)}`);
    const [line, marks] = renderFrame(source, { file: 'a', line: 1, column: 501, length: 4 }).split('\n');
    assert.ok(line!.length < 110);
    assert.equal(line!.slice(marks!.indexOf('^'), marks!.lastIndexOf('^') + 1), 'HERE');
  });

  it('can be made for any place of any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\t', ' ', ':', '\u{1f600}') }),
        fc.nat(50),
        fc.nat(50),
        (text, start, length) => {
          const source = sourceText('/a', 'a', text);
          const at = positionOf({ source, start, end: start + length });
          assert.ok(at.line >= 1 && at.column >= 1 && at.length! >= 1);
          assert.match(renderFrame(source, at).split('\n').pop()!, /\^$/);
        },
      ),
    );
  });
});
