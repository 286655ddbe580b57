export function get(_event, context) {
  return { message: 'Hello', function: context.functionName, stage: context.stage };
}
