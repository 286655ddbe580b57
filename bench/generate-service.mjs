// Writes a service of n functions into a folder: each with variables from the file, a second file, the environment and
// the command line, three environment variables, a route, and a handler file that is there.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Name of the i-th function. */
export function functionName(i) {
  return `fn${String(i).padStart(3, '0')}`;
}

function functionText(name) {
  return `  ${name}:
    handler: src/${name}.handler
    memorySize: \${self:custom.config.memory}
    timeout: \${file(./config/dev.yml):timeout}
    environment:
      FN: ${name}-\${self:provider.stage}
      SECRET: \${env:BENCH_SECRET, 'none'}
      OPT: \${opt:stage, 'dev'}
    events:
      - httpApi: 'GET /${name}'
`;
}

/**
 * Writes serverless.yml, config/ and src/ of a service with `n` functions, whose answers name the `edition` of their code.
 * Answers the path of serverless.yml.
 */
export function generateService(dir, n, { name: service = 'bench', provider = 'local', edition = 1 } = {}) {
  mkdirSync(join(dir, 'src'), { recursive: true });
  mkdirSync(join(dir, 'config'), { recursive: true });
  writeFileSync(
    join(dir, 'package.json'),
    `${JSON.stringify({ name: 'bench-service', version: '1.0.0', private: true, type: 'commonjs' })}\n`,
  );
  writeFileSync(join(dir, 'config/dev.yml'), 'memory: 256\ntimeout: 10\n');
  writeFileSync(join(dir, 'config/prod.yml'), 'memory: 1024\ntimeout: 20\n');
  let text = `service: ${service}
custom:
  stage: \${opt:stage, 'dev'}
  config: \${file(./config/\${self:custom.stage}.yml)}
  table: \${env:TABLE_NAME, 'tbl'}-\${self:custom.stage}
provider:
  name: ${provider}
  runtime: nodejs20.x
  stage: \${self:custom.stage}
  environment:
    STAGE: \${self:custom.stage}
    TABLE: \${self:custom.table}
functions:
`;
  for (let i = 0; i < n; i++) {
    const name = functionName(i);
    const body = `module.exports.handler = async () => ({ statusCode: 200, body: '${name} ${edition}' });\n`;
    writeFileSync(join(dir, 'src', `${name}.js`), body);
    text += functionText(name);
  }
  const file = join(dir, 'serverless.yml');
  writeFileSync(file, text);
  return file;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [dir, n] = process.argv.slice(2);
  console.log(generateService(dir, Number(n)));
}
