// TensorFlow.js as an implementation: one line of JSON for one line of JSON (docs/protocol.md).
//
// It is asked by __init__.py beside it, which fills in Keras' defaults, says which slots the edition has and which of them
// a step loads, and calls the entries as the edition does; here they are called by the index of the variable and the slot.

import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

const require = createRequire(import.meta.url); // so that NODE_PATH is searched
console.log = console.info = console.warn = console.error; // standard output is for answers
const tf = require('@tensorflow/tfjs');
const mapping = JSON.parse(readFileSync(new URL('mapping.json', import.meta.url), 'utf8'));

const decoded = (value) => (typeof value === 'string' ? Number(value) : value); // "NaN", "Infinity", "-Infinity"
const encoded = (value) =>
  Number.isFinite(value) ? (Object.is(value, -0) ? '-0.0' : String(value)) : JSON.stringify(String(value));
const tensor = (values, shape) => tf.tensor(values.map(decoded), shape, 'float32');

class Run {
  constructor(request) {
    const {class_name: name, config} = request.optimizer;
    this.mapped = mapping.optimizers[name];
    const names = Object.values(this.mapped.arguments);
    this.optimizer = tf.train[this.mapped.call](...names.map((argument) => config[argument] ?? undefined));
    this.shapes = request.variables.map((variable) => variable.value.shape);
    this.names = request.variables.map((_, index) => `v${index}_${Run.count++}`);
    this.variables = request.variables.map(({value}, index) =>
      tf.variable(tensor(value.values, value.shape), true, this.names[index]));
    this.slots = request.slots;
    this.started = false;
  }

  apply(gradients) {
    this.started = true;
    const named = gradients.map((values, i) => ({name: this.names[i], tensor: tensor(values, this.shapes[i])}));
    this.optimizer.applyGradients(named);
  }

  set({learning_rate: value}) {
    this.optimizer.learningRate = value;
    if ('c' in this.optimizer) {
      this.optimizer.setLearningRate(value); // SGD and momentum hold it as a tensor
    }
  }

  load({step, iteration, variables, slots, learning_rate: rate}) {
    this.count = step;
    this.variables.forEach((variable, index) => variable.assign(tensor(variables[index], this.shapes[index])));
    if (rate !== undefined) {
      this.set({learning_rate: rate});
    }
    for (const [entry, index, values] of slots) {
      this.optimizer[entry][index]?.variable.assign(tensor(values, this.shapes[index]));
    }
    for (const [power, beta] of [['accBeta1', 'beta1'], ['accBeta2', 'beta2']]) {
      this.optimizer[power]?.assign(tf.scalar(this.optimizer[beta] ** (iteration + 1)));
    }
  }

  state() {
    const entries = this.started ? Object.entries(this.slots) : [];
    return this.shapes.flatMap((shape, index) =>
      entries
        .filter(([, entry]) => this.optimizer[entry]?.[index])
        .map(([slot, entry]) => ({slot, index, shape, held: this.optimizer[entry][index].variable})));
  }
}
Run.count = 0;

function flat(held) {
  return `[${Array.from(held.dataSync(), (value) => encoded(shortest(value))).join(',')}]`;
}

// The shortest decimal that reads back to the same float32.
function shortest(value) {
  for (let digits = 1; Number.isFinite(value) && digits < 10; digits++) {
    const number = Number(value.toPrecision(digits));
    if (Math.fround(number) === value) {
      return number;
    }
  }
  return value;
}

function trajectory(request) {
  const keep = new Set(request.keep ?? []);
  const steps = [];
  let layout = '[]';
  let failure = '';
  let stage = 'construct';
  try {
    const run = new Run(request);
    run.count = 0;
    const play = (events) => {
      for (const event of events) {
        if ('repeat' in event) {
          for (let i = 0; i < event.repeat; i++) play(event.events);
        } else if ('load' in event) {
          run.load(event.load);
        } else {
          const inner = event.attempt ?? event;
          stage = 'apply' in inner ? 'apply' : 'set';
          run[stage](inner[stage]);
          run.count += 1;
          if (keep.size === 0 || keep.has(run.count)) {
            const state = run.state();
            const now = JSON.stringify(state.map(({slot, index, shape}) => ({name: `${index}/${slot}`, dtype: 'float32', shape})));
            const changed = steps.length && now !== run.layout ? `,"layout":${now}` : '';
            layout = steps.length ? layout : now;
            run.layout = now;
            const values = state.map(({held}) => flat(held)).join(',');
            steps.push(`{"step":${run.count},"variables":[${run.variables.map(flat).join(',')}],"state":[${values}]${changed}}`);
          }
        }
      }
    };
    play(request.events);
  } catch (error) {
    failure = `,"error":${JSON.stringify({stage, type: error.name, message: String(error.message).slice(0, 300)})}`;
  }
  tf.disposeVariables();
  return `{"id":${JSON.stringify(request.id)},"layout":${layout},"steps":[${steps.join(',')}]${failure}}`;
}

await tf.setBackend('cpu');
for await (const line of createInterface({input: process.stdin})) {
  const request = JSON.parse(line);
  if (request.command === 'start') {
    const declared = {protocol: 1, name: 'tfjs', version: tf.version.tfjs, editions: [mapping.edition]};
    process.stdout.write(`${JSON.stringify({...declared, optimizers: Object.keys(mapping.optimizers), features: mapping.features})}\n`);
  } else if (request.command === 'run') {
    process.stdout.write(`{"seq":${request.seq},"trajectory":${tf.tidy(() => trajectory(request.case))}}\n`);
  } else {
    process.exit(0);
  }
}
