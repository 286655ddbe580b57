import { type VariableSource, virtual } from './source.js';

/** `${sls:stage}` and `${sls:instanceId}`: what sfx itself knows of this run. */
export const slsSource: VariableSource = {
  name: 'sls',
  read({ address, at, shown }, { stage, instanceId }) {
    if (address === 'stage')
      return stage === undefined ? { missing: 'the stage is not known here yet' } : virtual(stage, at, null);
    if (address === 'instanceId') return virtual(instanceId(), at, null);
    return {
      problem: `\${${shown}} is not known; there are \${sls:stage} and \${sls:instanceId}`,
      code: 'SFX2106',
    };
  },
};
