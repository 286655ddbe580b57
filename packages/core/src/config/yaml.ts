import type { AliasEvent, Event, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { didYouMean } from './nearest.js';
import { listNode, mapNode, type Node, scalarNode } from './node.js';
import { plainScalar } from './scalar.js';
import { cloudFormationTags, isStandardCollection, longForm, standardScalar } from './tags.js';
import type { SourceText } from './text.js';

/** Nodes that aliases may add to what is written: a file of a few lines must not become a huge one. */
const MAX_ALIASED = 100_000;
const MAX_MERGED = 10_000;
const MAX_DEPTH = 100;

/** What is wrong with a text, at which offsets. Thrown inside this folder, never beyond the reader. */
export interface YamlFault {
  readonly fault: true;
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

function fault(message: string, start: number, end = start + 1): YamlFault {
  return { fault: true, message, start, end };
}

export function isYamlFault(thrown: unknown): thrown is YamlFault {
  return typeof thrown === 'object' && thrown !== null && (thrown as { fault?: unknown }).fault === true;
}

/** Words of the parser that say too little, in plain ones. */
const plainWords: Readonly<Record<string, string>> = {
  'tab characters must not be used in indentation': 'a tab cannot indent YAML; use spaces',
  'bad indentation of a mapping entry': 'this line is indented differently from the lines it belongs to',
  'bad indentation of a sequence entry': 'this line is indented differently from the lines it belongs to',
  'can not read a block mapping entry; a multiline key may not be an implicit key':
    "this line has no ':' after its key",
  "expected ':' after a mapping key": "this line has no ':' after its key",
  'can not read an implicit mapping pair; a colon is missed': "this line has no ':' after its key",
  'end of the stream or a document separator is expected': 'this does not fit what stands before it',
  'deficient indentation': 'a quote or bracket that was opened is not closed, or this line is not indented',
  'null byte is not allowed in input': 'the file holds a null byte; it is not text',
  'unexpected end of the stream within a flow collection': 'a bracket that was opened is not closed',
  'unexpected end of the stream within a double quoted scalar': 'a quote that was opened is not closed',
  'unexpected end of the stream within a single quoted scalar': 'a quote that was opened is not closed',
  [`nesting exceeded maxDepth (${MAX_DEPTH})`]: `nested deeper than ${MAX_DEPTH} levels`,
};

function events(source: SourceText): Event[] {
  try {
    return parseEvents(source.text, { maxDepth: MAX_DEPTH });
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const reason = String(thrown.reason);
    throw fault(plainWords[reason] ?? reason, thrown.mark?.position ?? 0);
  }
}

interface Frame {
  readonly kind: 'document' | 'list' | 'map';
  readonly start: number;
  readonly tag: string;
  readonly tagStart: number;
  readonly anchor: string;
  readonly list: Node[];
  readonly map: Map<string, Node>;
  /** Keys that came by `<<` and may be written again. */
  merged: Set<string> | null;
  dynamic: boolean;
  /** Nodes in here, those of aliases counted each time. */
  size: number;
  end: number;
  key: string | null;
  keyStart: number;
  keyEnd: number;
  keyIsMerge: boolean;
}

function frameOf(kind: Frame['kind'], start: number, tag: string, tagStart: number, anchor: string): Frame {
  return {
    kind,
    start,
    tag,
    tagStart,
    anchor,
    list: [],
    map: new Map(),
    merged: null,
    dynamic: false,
    size: 1,
    end: start,
    key: null,
    keyStart: -1,
    keyEnd: -1,
    keyIsMerge: false,
  };
}

interface Anchored {
  readonly node: Node | null;
  readonly size: number;
}

/** Reads one YAML (or JSON) document into nodes. Throws a `YamlFault`. */
export function readYaml(source: SourceText): Node {
  const { text } = source;
  const stack: Frame[] = [];
  const anchors = new Map<string, Anchored>();
  let root: Node | undefined;
  let aliased = 0;
  let merged = 0;

  const merge = (frame: Frame, value: Node): void => {
    const from = value.list ?? [value];
    for (const item of from) {
      if (!item.map) throw fault("'<<' takes a mapping or a list of mappings", frame.keyStart, frame.keyEnd);
      for (const [key, inner] of item.map) {
        if (++merged > MAX_MERGED)
          throw fault(`'<<' merges more than ${MAX_MERGED} keys`, frame.keyStart, frame.keyEnd);
        if (frame.map.has(key)) continue;
        frame.map.set(key, inner);
        frame.merged ??= new Set();
        frame.merged.add(key);
        if (inner.dynamic) frame.dynamic = true;
      }
    }
  };

  const addPair = (frame: Frame, value: Node): void => {
    const key = frame.key as string;
    frame.key = null;
    if (frame.keyIsMerge) {
      merge(frame, value);
      return;
    }
    if (key === '__proto__') throw fault('the key __proto__ is not allowed', frame.keyStart, frame.keyEnd);
    if (frame.map.has(key) && !frame.merged?.delete(key)) {
      throw fault(`the key ${key} is written twice in this mapping`, frame.keyStart, frame.keyEnd);
    }
    frame.map.set(key, withKey(value, frame));
    if (value.dynamic) frame.dynamic = true;
  };

  const add = (value: Node, size: number, end: number): void => {
    const frame = stack[stack.length - 1]!;
    frame.size += size;
    frame.end = end;
    if (frame.kind === 'document') root = value;
    else if (frame.kind === 'list') {
      frame.list.push(value);
      if (value.dynamic) frame.dynamic = true;
    } else if (frame.key !== null) addPair(frame, value);
    else if (value.kind !== 'scalar') throw fault('a key must be text', value.start);
    else setKey(frame, String(value.scalar), value.start, value.end, false);
  };

  const scalar = (event: ScalarEvent): void => {
    const empty = event.valueStart < 0;
    const at = empty ? emptyAt(stack[stack.length - 1]!, event) : event.valueStart;
    const end = empty ? at : event.valueEnd;
    const value = getScalarValue(text, event);
    const parent = stack[stack.length - 1]!;
    const plain = event.style === SCALAR_STYLE.PLAIN;
    if (parent.kind === 'map' && parent.key === null && event.tagStart < 0 && event.anchorStart < 0) {
      setKey(parent, plain ? plainKey(value) : value, at, end, plain);
      parent.size++;
      return;
    }
    let node: Node;
    if (event.tagStart >= 0) node = taggedScalar(source, event, value, at, end);
    else
      node = scalarNode(
        plain ? plainScalar(value) : value,
        source,
        at,
        end,
        null,
        parent.keyStart,
        parent.keyEnd,
      );
    if (event.anchorStart >= 0)
      anchors.set(text.slice(event.anchorStart, event.anchorEnd), { node, size: 1 });
    add(node, 1, end);
  };

  const alias = (event: AliasEvent): void => {
    const name = text.slice(event.anchorStart, event.anchorEnd);
    const found = anchors.get(name);
    if (!found)
      throw fault(
        `no anchor &${name} stands before this alias${didYouMean(name, anchors.keys())}`,
        event.anchorStart - 1,
        event.anchorEnd,
      );
    if (!found.node)
      throw fault(`the anchor &${name} would hold itself`, event.anchorStart - 1, event.anchorEnd);
    aliased += found.size;
    if (aliased > MAX_ALIASED)
      throw fault(
        `aliases make this file larger than ${MAX_ALIASED} values`,
        event.anchorStart - 1,
        event.anchorEnd,
      );
    add(found.node, found.size, event.anchorEnd);
  };

  const close = (): void => {
    const frame = stack.pop()!;
    if (frame.kind === 'document') return;
    const node = collection(source, frame);
    if (frame.anchor) anchors.set(frame.anchor, { node, size: frame.size });
    add(node, frame.size, frame.end);
  };

  const open = (event: SequenceEvent | MappingEvent, kind: 'list' | 'map'): void => {
    const tag = event.tagStart < 0 ? '' : text.slice(event.tagStart, event.tagEnd);
    const anchor = event.anchorStart < 0 ? '' : text.slice(event.anchorStart, event.anchorEnd);
    if (anchor) anchors.set(anchor, { node: null, size: 0 });
    stack.push(frameOf(kind, event.start, tag, event.tagStart, anchor));
  };

  for (const event of events(source)) {
    if (event.type === EVENT_ID.SCALAR) scalar(event);
    else if (event.type === EVENT_ID.POP) close();
    else if (event.type === EVENT_ID.MAPPING) open(event, 'map');
    else if (event.type === EVENT_ID.SEQUENCE) open(event, 'list');
    else if (event.type === EVENT_ID.ALIAS) alias(event);
    else {
      if (root)
        throw fault('a second document begins here; sfx reads files of one', secondDocument(text, root.end));
      stack.push(frameOf('document', 0, '', -1, ''));
    }
  }
  if (!root) throw fault('the file is empty', 0);
  return root;
}

function withKey(node: Node, frame: Frame): Node {
  if (node.keyStart === frame.keyStart && node.keyEnd === frame.keyEnd) return node;
  return {
    kind: node.kind,
    scalar: node.scalar,
    list: node.list,
    map: node.map,
    source: node.source,
    start: node.start,
    end: node.end,
    keyStart: frame.keyStart,
    keyEnd: frame.keyEnd,
    dynamic: node.dynamic,
    taint: node.taint,
    site: node.site,
  };
}

function setKey(frame: Frame, key: string, start: number, end: number, plain: boolean): void {
  frame.key = key;
  frame.keyIsMerge = plain && key === '<<';
  frame.keyStart = start;
  frame.keyEnd = end;
}

/** `1e3:` and `0x10:` are the keys 1000 and 16, as in JSON made from YAML; text stays as it is. */
function plainKey(text: string): string {
  const first = text.charCodeAt(0);
  return first <= 57 ? String(plainScalar(text) ?? '') : text;
}

/** A value that is not written stands behind its key, or where its tag or anchor is. */
function emptyAt(frame: Frame, event: ScalarEvent): number {
  if (event.tagStart >= 0) return event.tagStart;
  if (event.anchorStart >= 0) return event.anchorStart;
  return frame.key !== null ? frame.keyEnd : frame.end;
}

function unknownTag(tag: string, start: number): YamlFault {
  const names = cloudFormationTags.map((name) => `!${name}`);
  return fault(`the tag ${tag} is not known${didYouMean(tag, names)}`, start, start + tag.length);
}

function taggedScalar(
  source: SourceText,
  event: ScalarEvent,
  value: string,
  start: number,
  end: number,
): Node {
  const tag = source.text.slice(event.tagStart, event.tagEnd);
  const standard = standardScalar(tag, value);
  if (standard) return scalarNode(standard.value, source, start, end);
  const plain = event.style === SCALAR_STYLE.PLAIN ? plainScalar(value) : value;
  const node = longForm(tag, scalarNode(plain, source, start, end), { source, start: event.tagStart, end });
  if (!node) throw unknownTag(tag, event.tagStart);
  return node;
}

function collection(source: SourceText, frame: Frame): Node {
  const span = { source, start: frame.start, end: Math.max(frame.end, frame.start + 1) };
  const node =
    frame.kind === 'list'
      ? listNode(frame.list, frame.dynamic, span)
      : mapNode(frame.map, frame.dynamic, span);
  if (frame.tag === '' || isStandardCollection(frame.tag, frame.kind as 'list' | 'map')) return node;
  const long = longForm(frame.tag, node, { source, start: frame.tagStart, end: frame.end });
  if (!long) throw unknownTag(frame.tag, frame.tagStart);
  return long;
}

function secondDocument(text: string, after: number): number {
  const mark = text.indexOf('\n---', after);
  return mark < 0 ? after : mark + 1;
}
