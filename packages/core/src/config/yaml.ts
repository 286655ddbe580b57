import { EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import type { Node } from './node.js';
import type { SourceText } from './text.js';
import { alias, type Builder, close, frameOf, open, scalar } from './yaml-build.js';
import { fault, MAX_DEPTH, plainWords } from './yaml-fault.js';

function events(source: SourceText): Event[] {
  try {
    return parseEvents(source.text, { maxDepth: MAX_DEPTH });
  } catch (thrown) {
    if (!(thrown instanceof YAMLException)) throw thrown;
    const reason = String(thrown.reason);
    throw fault(plainWords[reason] ?? reason, thrown.mark?.position ?? 0);
  }
}

/** Reads one YAML (or JSON) document into nodes. Throws a `YamlFault`. */
export function readYaml(source: SourceText): Node {
  const build: Builder = { source, stack: [], anchors: new Map(), root: undefined, aliased: 0, merged: 0 };
  for (const event of events(source)) {
    if (event.type === EVENT_ID.SCALAR) scalar(build, event);
    else if (event.type === EVENT_ID.POP) close(build);
    else if (event.type === EVENT_ID.MAPPING) open(build, event, 'map');
    else if (event.type === EVENT_ID.SEQUENCE) open(build, event, 'list');
    else if (event.type === EVENT_ID.ALIAS) alias(build, event);
    else {
      if (build.root) {
        throw fault(
          'a second document begins here; sfx reads files of one',
          secondDocument(source.text, build.root.end),
        );
      }
      build.stack.push(frameOf('document', 0, '', -1, ''));
    }
  }
  if (!build.root) throw fault('the file is empty', 0);
  return build.root;
}

function secondDocument(text: string, after: number): number {
  const mark = text.indexOf('\n---', after);
  return mark < 0 ? after : mark + 1;
}
