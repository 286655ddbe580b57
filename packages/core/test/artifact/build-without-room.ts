// Builds the project in the folder that is named and prints the error that this ends with.
import { join } from 'node:path';
import { buildUnits } from '../../src/artifact/index.js';
import { realRun, refused, unit } from './samples.js';

const dir = process.argv[2]!;
const requests = [{ key: 'x', unit: unit({ a: 'src/a.run' }, { include: ['data/*'] }), dir }];
const error = await refused(buildUnits(requests, { cacheDir: join(dir, '.sfx'), cwd: dir }, realRun()));
process.stdout.write(`${error.code} ${error.message}`);
