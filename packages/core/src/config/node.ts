import type { Json } from '../json.js';
import type { SourceText, Span } from './text.js';

export type Scalar = string | number | boolean | null;

/**
 * A value with the place where it was written. Nodes are never changed after they were made; what a variable put in
 * place of another is a copy that remembers its `site`.
 */
export interface Node {
  readonly kind: 'scalar' | 'list' | 'map';
  readonly scalar: Scalar;
  readonly list: readonly Node[] | null;
  readonly map: ReadonlyMap<string, Node> | null;
  readonly source: SourceText;
  /** -1 when the value stands in no file, as that of `env`; then `site` says where it is used. */
  readonly start: number;
  readonly end: number;
  /** Where its key is, in the file of `site` (else of `source`); -1 for items and roots. */
  readonly keyStart: number;
  readonly keyEnd: number;
  /** Holds a variable, itself or somewhere below. */
  readonly dynamic: boolean;
  /** The text to show instead of the value: env, opt, --param or a secret source went into it. */
  readonly taint: string | null;
  /** The variable that this value stands for. */
  readonly site: Span | null;
}

export function scalarNode(
  scalar: Scalar,
  source: SourceText,
  start: number,
  end: number,
  taint: string | null = null,
  keyStart = -1,
  keyEnd = -1,
): Node {
  const dynamic = typeof scalar === 'string' && taint === null && scalar.includes('${');
  return {
    kind: 'scalar',
    scalar,
    list: null,
    map: null,
    source,
    start,
    end,
    keyStart,
    keyEnd,
    dynamic,
    taint,
    site: null,
  };
}

/** A container as it is once all below it is resolved. */
export function resolvedContainer(
  node: Node,
  list: readonly Node[] | null,
  map: ReadonlyMap<string, Node> | null,
): Node {
  const { kind, source, start, end, keyStart, keyEnd, site } = node;
  return {
    kind,
    scalar: null,
    list,
    map,
    source,
    start,
    end,
    keyStart,
    keyEnd,
    dynamic: false,
    taint: null,
    site,
  };
}

export function listNode(list: readonly Node[], dynamic: boolean, span: Span): Node {
  const { source, start, end } = span;
  return {
    kind: 'list',
    scalar: null,
    list,
    map: null,
    source,
    start,
    end,
    keyStart: -1,
    keyEnd: -1,
    dynamic,
    taint: null,
    site: null,
  };
}

export function mapNode(map: ReadonlyMap<string, Node>, dynamic: boolean, span: Span): Node {
  const { source, start, end } = span;
  return {
    kind: 'map',
    scalar: null,
    list: null,
    map,
    source,
    start,
    end,
    keyStart: -1,
    keyEnd: -1,
    dynamic,
    taint: null,
    site: null,
  };
}

/** The same node under a key. */
export function keyed(node: Node, keyStart: number, keyEnd: number): Node {
  return { ...node, keyStart, keyEnd };
}

/** What a variable gave, in the place of the node that held the variable. */
export function placed(value: Node, holder: Node): Node {
  const site: Span = { source: holder.source, start: holder.start, end: holder.end };
  return { ...value, keyStart: holder.keyStart, keyEnd: holder.keyEnd, site: holder.site ?? site };
}

/** Where the value was written, wherever a variable took it from. */
export function valueSpan(node: Node): Span {
  if (node.start < 0 && node.site) return node.site;
  return { source: node.source, start: node.start, end: node.end };
}

export function keySpan(node: Node): Span {
  if (node.keyStart < 0) return node.site ?? valueSpan(node);
  return { source: node.site?.source ?? node.source, start: node.keyStart, end: node.keyEnd };
}

export function child(node: Node, key: string): Node | undefined {
  if (node.map) return node.map.get(key);
  if (node.list && /^\d+$/.test(key)) return node.list[Number(key)];
  return undefined;
}

/** Segments of a JSON pointer. */
export function segments(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => (part.includes('~') ? part.replace(/~1/g, '/').replace(/~0/g, '~') : part));
}

export function pointerOf(...path: readonly (string | number)[]): string {
  let pointer = '';
  for (const part of path) pointer += `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`;
  return pointer;
}

export function nodeAt(root: Node, pointer: string): Node | undefined {
  let node: Node | undefined = root;
  for (const key of segments(pointer)) {
    node = node && child(node, key);
    if (!node) return undefined;
  }
  return node;
}

/** The node of a pointer, or the nearest one above it that exists. */
export function nearestNode(root: Node, pointer: string): Node {
  let node = root;
  for (const key of segments(pointer)) {
    const next = child(node, key);
    if (!next) return node;
    node = next;
  }
  return node;
}

export type Show = (node: Node) => Json;

/** Each scalar's value. */
export const revealScalar: Show = (node) => node.scalar;
/** Each scalar's value, or the text of where it came from if it must not be shown. */
export const maskScalar: Show = (node) => node.taint ?? node.scalar;

/** Thrown by `toJson` when aliases or variables make a small file a huge one. */
export const TOO_LARGE = Symbol('too large');
const MAX_VALUES = 500_000;

/** Plain JSON of a node, with each scalar as `show` gives it. */
export function toJson(root: Node, show: Show = revealScalar): Json {
  let count = 0;
  const walk = (node: Node): Json => {
    if (++count > MAX_VALUES) throw TOO_LARGE;
    if (node.map) {
      const result: Record<string, Json> = {};
      for (const [key, value] of node.map) result[key] = walk(value);
      return result;
    }
    if (node.list) return node.list.map(walk);
    return show(node);
  };
  return walk(root);
}

/** Whether something below was tainted. */
export function isTainted(node: Node): boolean {
  if (node.map) {
    for (const value of node.map.values()) if (isTainted(value)) return true;
    return false;
  }
  return node.list ? node.list.some(isTainted) : node.taint !== null;
}

/** Nodes of a plain value that has no text of its own, such as an answer from a source. */
export function fromJson(value: Json, span: Span, taint: string | null = null): Node {
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => fromJson(item, span, taint));
    return listNode(
      items,
      items.some((item) => item.dynamic),
      span,
    );
  }
  if (typeof value === 'object' && value !== null) {
    const map = new Map(
      Object.entries(value).map(([key, inner]) => [key, fromJson(inner as Json, span, taint)]),
    );
    return mapNode(
      map,
      [...map.values()].some((item) => item.dynamic),
      span,
    );
  }
  return scalarNode(value as Scalar, span.source, span.start, span.end, taint);
}
