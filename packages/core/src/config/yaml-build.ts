import type { AliasEvent, MappingEvent, ScalarEvent, SequenceEvent } from 'js-yaml';
import { getScalarValue, SCALAR_STYLE } from 'js-yaml';
import { didYouMean } from './nearest.js';
import { listNode, mapNode, type Node, scalarNode } from './node.js';
import { plainScalar } from './scalar.js';
import { cloudFormationTags, isStandardCollection, longForm, standardScalar } from './tags.js';
import type { SourceText } from './text.js';
import { fault, type YamlFault } from './yaml-fault.js';

/** Nodes that aliases may add to what is written: a file of a few lines must not become a huge one. */
const MAX_ALIASED = 100_000;
const MAX_MERGED = 10_000;

export interface Frame {
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

export function frameOf(
  kind: Frame['kind'],
  start: number,
  tag: string,
  tagStart: number,
  anchor: string,
): Frame {
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

/** What has been read of a document so far. */
export interface Builder {
  readonly source: SourceText;
  readonly stack: Frame[];
  readonly anchors: Map<string, Anchored>;
  root: Node | undefined;
  /** Nodes that aliases added, and keys that `<<` added. */
  aliased: number;
  merged: number;
}

function merge(build: Builder, frame: Frame, value: Node): void {
  const from = value.list ?? [value];
  for (const item of from) {
    if (!item.map) throw fault("'<<' takes a mapping or a list of mappings", frame.keyStart, frame.keyEnd);
    for (const [key, inner] of item.map) {
      if (++build.merged > MAX_MERGED)
        throw fault(`'<<' merges more than ${MAX_MERGED} keys`, frame.keyStart, frame.keyEnd);
      if (frame.map.has(key)) continue;
      frame.map.set(key, inner);
      frame.merged ??= new Set();
      frame.merged.add(key);
      if (inner.dynamic) frame.dynamic = true;
    }
  }
}

function addPair(build: Builder, frame: Frame, value: Node): void {
  const key = frame.key as string;
  frame.key = null;
  if (frame.keyIsMerge) {
    merge(build, frame, value);
    return;
  }
  if (key === '__proto__') throw fault('the key __proto__ is not allowed', frame.keyStart, frame.keyEnd);
  if (frame.map.has(key) && !frame.merged?.delete(key)) {
    throw fault(`the key ${key} is written twice in this mapping`, frame.keyStart, frame.keyEnd);
  }
  frame.map.set(key, withKey(value, frame));
  if (value.dynamic) frame.dynamic = true;
}

function add(build: Builder, value: Node, size: number, end: number): void {
  const frame = build.stack[build.stack.length - 1]!;
  frame.size += size;
  frame.end = end;
  if (frame.kind === 'document') build.root = value;
  else if (frame.kind === 'list') {
    frame.list.push(value);
    if (value.dynamic) frame.dynamic = true;
  } else if (frame.key !== null) addPair(build, frame, value);
  else if (value.kind !== 'scalar') throw fault('a key must be text', value.start);
  else setKey(frame, String(value.scalar), value.start, value.end, false);
}

export function scalar(build: Builder, event: ScalarEvent): void {
  const empty = event.valueStart < 0;
  const at = empty ? emptyAt(build.stack[build.stack.length - 1]!, event) : event.valueStart;
  const end = empty ? at : event.valueEnd;
  const value = getScalarValue(build.source.text, event);
  const parent = build.stack[build.stack.length - 1]!;
  const plain = event.style === SCALAR_STYLE.PLAIN;
  if (parent.kind === 'map' && parent.key === null && event.tagStart < 0 && event.anchorStart < 0) {
    setKey(parent, plain ? plainKey(value) : value, at, end, plain);
    parent.size++;
    return;
  }
  let node: Node;
  if (event.tagStart >= 0) node = taggedScalar(build.source, event, value, at, end);
  else
    node = scalarNode(
      plain ? plainScalar(value) : value,
      build.source,
      at,
      end,
      null,
      parent.keyStart,
      parent.keyEnd,
    );
  if (event.anchorStart >= 0)
    build.anchors.set(build.source.text.slice(event.anchorStart, event.anchorEnd), { node, size: 1 });
  add(build, node, 1, end);
}

export function alias(build: Builder, event: AliasEvent): void {
  const name = build.source.text.slice(event.anchorStart, event.anchorEnd);
  const found = build.anchors.get(name);
  if (!found)
    throw fault(
      `no anchor &${name} stands before this alias${didYouMean(name, build.anchors.keys())}`,
      event.anchorStart - 1,
      event.anchorEnd,
    );
  if (!found.node)
    throw fault(`the anchor &${name} would hold itself`, event.anchorStart - 1, event.anchorEnd);
  build.aliased += found.size;
  if (build.aliased > MAX_ALIASED)
    throw fault(
      `aliases make this file larger than ${MAX_ALIASED} values`,
      event.anchorStart - 1,
      event.anchorEnd,
    );
  add(build, found.node, found.size, event.anchorEnd);
}

export function close(build: Builder): void {
  const frame = build.stack.pop()!;
  if (frame.kind === 'document') return;
  const node = collection(build.source, frame);
  if (frame.anchor) build.anchors.set(frame.anchor, { node, size: frame.size });
  add(build, node, frame.size, frame.end);
}

export function open(build: Builder, event: SequenceEvent | MappingEvent, kind: 'list' | 'map'): void {
  const tag = event.tagStart < 0 ? '' : build.source.text.slice(event.tagStart, event.tagEnd);
  const anchor = event.anchorStart < 0 ? '' : build.source.text.slice(event.anchorStart, event.anchorEnd);
  if (anchor) build.anchors.set(anchor, { node: null, size: 0 });
  build.stack.push(frameOf(kind, event.start, tag, event.tagStart, anchor));
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
