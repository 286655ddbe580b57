import { isObject, type Json, type JsonObject, type Service, type ServiceEvent } from '@sfx-deploy/plugin';

/** A trigger in a neutral form, or why there is none here. */
export type Meant =
  | { readonly kind: 'queue' | 'topic' | 'bucket' | 'schedule'; readonly props: JsonObject }
  | { readonly unable: string };

/** Kinds of AWS that mean the same here, each with how. */
const kinds: Readonly<Record<string, (props: JsonObject, service: Service) => Meant>> = {
  sqs: queueOf,
  sns: topicOf,
  s3: bucketOf,
  eventBridge: scheduleOf,
};

export const AWS_KINDS: readonly string[] = Object.keys(kinds);

/** What an event of AWS means on the engine. Undefined: the engine has no such kind. */
export function meantBy({ kind, props }: ServiceEvent, service: Service): Meant | undefined {
  return kinds[kind]?.(props, service);
}

function queueOf(props: JsonObject, service: Service): Meant {
  if (props['filterPatterns'] !== undefined) return { unable: 'queues here have no filterPatterns' };
  const resource = resourceOf(props['arn'], service);
  const name = nameIn(resource?.['QueueName']) ?? lastOf(props['arn']);
  if (name === undefined) return { unable: 'its arn does not say which queue it is' };
  if (name.endsWith('.fifo')) return { unable: 'queues here keep no order' };
  const redrive = isObject(resource?.['RedrivePolicy']) ? (resource['RedrivePolicy'] as JsonObject) : {};
  const target = redrive['deadLetterTargetArn'];
  const deadLetter = nameIn(resourceOf(target, service)?.['QueueName']) ?? lastOf(target);
  const most = props['maximumConcurrency'];
  return {
    kind: 'queue',
    props: {
      queue: name,
      ...numbers({
        batchSize: props['batchSize'],
        windowMs: seconds(props['maximumBatchingWindow']),
        visibilityMs: seconds(resource?.['VisibilityTimeout']),
        maxReceives: redrive['maxReceiveCount'],
        concurrency: most,
      }),
      ...(deadLetter === undefined ? {} : { deadLetter }),
      enabled: props['enabled'] !== false,
    },
  };
}

function topicOf(props: JsonObject, service: Service): Meant {
  const name =
    nameIn(resourceOf(props['arn'], service)?.['TopicName']) ??
    (typeof props['topicName'] === 'string' ? props['topicName'] : lastOf(props['arn']));
  if (name === undefined) return { unable: 'its arn does not say which topic it is' };
  const filter = filterOf(props['filterPolicy']);
  if (filter === null || props['filterPolicyScope'] === 'MessageBody')
    return { unable: 'filters here compare attributes with texts, and nothing else' };
  return {
    kind: 'topic',
    props: { topic: name, ...(filter === undefined ? {} : { filter }), enabled: true },
  };
}

/** Null: it asks for more than equal texts. */
function filterOf(policy: Json | undefined): JsonObject | null | undefined {
  if (policy === undefined) return undefined;
  if (!isObject(policy)) return null;
  const rows = Object.entries(policy as JsonObject).map(([name, texts]): [string, readonly Json[]] => [
    name,
    Array.isArray(texts) ? (texts as readonly Json[]) : [texts],
  ]);
  return rows.every(([, texts]) => texts.every((text) => typeof text === 'string'))
    ? Object.fromEntries(rows)
    : null;
}

function bucketOf(props: JsonObject, service: Service): Meant {
  const name =
    nameIn(resourceOf(props['bucket'], service)?.['BucketName']) ??
    (typeof props['bucket'] === 'string' ? props['bucket'] : lastOf(props['bucket']));
  if (name === undefined) return { unable: 'its bucket does not say which one it is' };
  const event = props['event'] ?? 's3:ObjectCreated:*';
  const events = /^s3:ObjectCreated:(\*|Put)$/.test(String(event))
    ? ['created', 'changed']
    : /^s3:ObjectRemoved:(\*|Delete)$/.test(String(event))
      ? ['removed']
      : undefined;
  if (events === undefined) return { unable: `buckets here have no ${String(event)}` };
  const rules = Array.isArray(props['rules']) ? (props['rules'] as readonly Json[]) : [];
  const rule = (key: string) =>
    rules.flatMap((one) => (isObject(one) && typeof one[key] === 'string' ? [one[key] as string] : []))[0];
  const [prefix, suffix] = [rule('prefix'), rule('suffix')];
  return {
    kind: 'bucket',
    props: {
      bucket: name,
      events,
      ...(prefix === undefined ? {} : { prefix }),
      ...(suffix === undefined ? {} : { suffix }),
      enabled: true,
    },
  };
}

function scheduleOf(props: JsonObject): Meant {
  const { schedule, input, enabled } = props;
  if (typeof schedule !== 'string')
    return { unable: 'event buses are not on the local engine; a schedule is' };
  for (const key of ['inputPath', 'inputTransformer', 'eventBus', 'pattern'] as const) {
    if (props[key] !== undefined) return { unable: `schedules here have no ${key}` };
  }
  return {
    kind: 'schedule',
    props: {
      schedule,
      timezone: 'UTC',
      overlap: 'allow',
      ...(input === undefined ? {} : { input }),
      enabled: enabled !== false,
    },
  };
}

/** `Properties` of the resource that a value refers to. */
function resourceOf(value: Json | undefined, service: Service): JsonObject | undefined {
  const id = logicalId(value);
  const resources = isObject(service.resources) ? service.resources['Resources'] : undefined;
  if (id === undefined || !isObject(resources)) return undefined;
  const resource = resources[id];
  const properties = isObject(resource) ? resource['Properties'] : undefined;
  return isObject(properties) ? (properties as JsonObject) : undefined;
}

function logicalId(value: Json | undefined): string | undefined {
  if (!isObject(value)) return undefined;
  if (typeof value['Ref'] === 'string') return value['Ref'];
  const attribute = value['Fn::GetAtt'];
  if (typeof attribute === 'string') return attribute.split('.')[0];
  return Array.isArray(attribute) && typeof attribute[0] === 'string' ? attribute[0] : undefined;
}

function nameIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The last part of an ARN, as far as it is written down; of a reference its own name. */
function lastOf(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return lastPart(value);
  if (!isObject(value)) return undefined;
  const { 'Fn::Sub': sub, 'Fn::Join': join } = value as JsonObject;
  const template = Array.isArray(sub) ? (sub as readonly Json[])[0] : sub;
  if (typeof template === 'string') return lastPart(template);
  const parts = Array.isArray(join) ? (join as readonly Json[])[1] : undefined;
  const last = Array.isArray(parts) ? (parts as readonly Json[]).at(-1) : undefined;
  if (last !== undefined) return lastOf(last);
  return logicalId(value as Json);
}

function lastPart(text: string): string | undefined {
  const last = text.split(':').at(-1) ?? '';
  return last === '' || last.includes('${') ? undefined : last;
}

function seconds(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value * 1000 : undefined;
}

function numbers(values: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, number] => typeof pair[1] === 'number'),
  );
}
