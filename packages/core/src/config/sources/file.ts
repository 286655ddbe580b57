import { realpathSync } from 'node:fs';
import { extname, isAbsolute, relative, resolve } from 'node:path';
import { displayPath } from '../find.js';
import { scalarNode } from '../node.js';
import { parseText, readText } from '../read.js';
import {
  type IncludedFile,
  needsAddress,
  type SourceContext,
  type SourceRequest,
  type VariableSource,
} from './source.js';

const DATA = ['.yml', '.yaml', '.json', '.tfstate'];
const CODE = ['.js', '.cjs', '.mjs', '.ts', '.cts', '.mts'];

function isInside(dir: string, path: string): boolean {
  const way = relative(dir, path);
  return way !== '' && way !== '..' && !/^\.\.[\\/]/.test(way) && !isAbsolute(way);
}

/** `path` is inside by its name; a link may still lead out. */
function leadsOut(dir: string, path: string): boolean {
  try {
    return !isInside(realpathSync(dir), realpathSync(path));
  } catch {
    // Not there: whoever reads it says so.
    return false;
  }
}

function load(path: string, request: SourceRequest, context: SourceContext): IncludedFile {
  const shown = request.shownParams;
  const ending = extname(path).toLowerCase();
  if (CODE.includes(ending)) {
    return {
      problem: `${shown} is code; sfx reads YAML, JSON and text, and runs nothing to read a configuration`,
      code: 'SFX2105',
    };
  }
  if (!isInside(context.dir, path) || leadsOut(context.dir, path)) {
    return { problem: `${shown} is outside the folder of the configuration file`, code: 'SFX2104' };
  }
  const found = readText(path, request.secret ? shown : displayPath(context.cwd, path));
  if ('absent' in found) return { absent: true };
  if ('refused' in found)
    return {
      problem: `${shown} cannot be used: it is too large, or not a file that can be read`,
      code: 'SFX2002',
    };
  const { source } = found;
  if (!DATA.includes(ending))
    return { node: { ...scalarNode(source.text.trimEnd(), source, 0, source.text.length), dynamic: false } };
  const node = parseText(source, context.problems);
  return node ? { node } : { failed: true };
}

/** `${file(./config/dev.yml):key.path}`: a YAML, JSON or text file inside the project, or a part of it. */
export const fileSource: VariableSource = {
  name: 'file',
  read(request: SourceRequest, context) {
    if (!request.params) return needsAddress(request, '${file(./config.yml):key}');
    const shown = request.shownParams;
    const path = resolve(context.dir, request.params);
    let file = context.files.get(path);
    if (!file) {
      file = load(path, request, context);
      context.files.set(path, file);
    }
    if ('absent' in file) return { missing: `there is no file ${shown}` };
    if (!('node' in file)) return file;
    return context.walk(file.node, request.address ? request.address.split('.') : [], `file(${shown})`);
  },
};
