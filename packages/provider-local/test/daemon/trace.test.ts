import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseTrace, startSpan } from '../../src/daemon/telemetry/trace.js';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
    .filter((text) => !/^0+$/.test(text));

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read as W3C Trace Context writes it', () => {
    assert.deepEqual(parseTrace(`00-${TRACE}-${SPAN}-01`), { traceId: TRACE, parentId: SPAN, sampled: true });
    assert.equal(parseTrace(`00-${TRACE}-${SPAN}-00`)?.sampled, false);
    // Other flags are not known; the lowest bit is what counts.
    assert.equal(parseTrace(`00-${TRACE}-${SPAN}-02`)?.sampled, false);
    assert.equal(parseTrace(`00-${TRACE}-${SPAN}-03`)?.sampled, true);
    // A later version may have more behind a dash.
    assert.equal(parseTrace(`cc-${TRACE}-${SPAN}-01`)?.traceId, TRACE);
    assert.equal(parseTrace(`cc-${TRACE}-${SPAN}-01-what-comes`)?.traceId, TRACE);
  });

  for (const [what, header] of [
    ['nothing', ''],
    ['words', 'hello'],
    ['a later version with something glued to it', `cc-${TRACE}-${SPAN}-01x`],
    ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['a version of one digit', `0-${TRACE}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a trace that is too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a span that is too long', `00-${TRACE}-${SPAN}0-01`],
    ['flags of one digit', `00-${TRACE}-${SPAN}-1`],
    ['no hex', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
    ['two headers in one', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['a space before', ` 00-${TRACE}-${SPAN}-01`],
    ['gigabytes', `cc-${TRACE}-${SPAN}-01-${'x'.repeat(100_000)}`],
  ] as const) {
    it(`that is ${what} is none: a new trace begins`, () => {
      assert.equal(parseTrace(header), undefined);
      const span = startSpan(header);
      assert.equal(span.parentId, undefined);
      assert.notEqual(span.traceId, TRACE);
      assert.equal(span.sampled, true);
    });
  }

  it('keeps trace and wish through any number of calls, and every span has its own id', () => {
    fc.assert(
      fc.property(
        hex(32),
        hex(16),
        fc.boolean(),
        fc.integer({ min: 1, max: 20 }),
        (trace, first, sampled, n) => {
          let header = `00-${trace}-${first}-${sampled ? '01' : '00'}`;
          let parent = first;
          const spans = new Set([first]);
          for (let k = 0; k < n; k += 1) {
            const span = startSpan(header);
            assert.deepEqual([span.traceId, span.parentId, span.sampled], [trace, parent, sampled]);
            assert.deepEqual(parseTrace(span.header), { traceId: trace, parentId: span.spanId, sampled });
            ({ header } = span);
            parent = span.spanId;
            spans.add(parent);
          }
          assert.equal(spans.size, n + 1);
        },
      ),
    );
  });

  it('of new traces never comes twice', () => {
    const ids = new Set(Array.from({ length: 20_000 }, () => startSpan(undefined).traceId));
    assert.equal(ids.size, 20_000);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  });
});
