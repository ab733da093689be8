// An adapter for Goldenstep: it reads a case per line and answers with a trajectory per line.
//
//   goldenstep adapter check 'cmd: node adapter.mjs'
//   goldenstep check --impl='cmd: node adapter.mjs'
//
// Put your optimizers in place of SGD. The protocol: docs/protocol.md of Goldenstep.

import { createInterface } from "node:readline";

const DECLARED = {
  protocol: 1,
  name: "mypkg",
  version: "0.1",
  editions: ["keras3"],
  optimizers: ["SGD"],
  features: ["dense"],
  // exposes: { SGD: [] }, // if your library has not all of the state: the slots that it has
  // tolerance: "port", // if your library rounds elsewhere: differences of a few roundings are `close`, and pass
};

class Unsupported extends Error {}

// ---- your library -----------------------------------------------------------------------------------------------

class SGD {
  constructor({ learning_rate = 0.01, ...others }) {
    only({}, others);
    this.learningRate = Math.fround(learning_rate);
    this.iteration = 0;
  }

  // A Float32Array rounds what is written to it; what is computed in between is a double and has to be rounded.
  apply(gradients, variables) {
    variables.forEach((w, i) => {
      for (let k = 0; k < w.length; k++) w[k] -= Math.fround(this.learningRate * gradients[i][k]);
    });
    this.iteration += 1;
  }

  // Everything that the optimizer remembers, in the order and with the names of Keras: goldenstep explain SGD.
  state() {
    return [
      { name: "sgd/iteration", dtype: "int64", shape: [], values: [this.iteration] },
      { name: "sgd/learning_rate", dtype: "float32", shape: [], values: [this.learningRate] },
    ];
  }

  // Go on from a recorded step (where rounding differs, each step is judged by itself): the state comes as Keras has it.
  load({ variables, state: [[iteration]] }, weights) {
    weights.forEach((w, i) => w.set(decoded(variables[i])));
    this.iteration = iteration;
  }
}

const OPTIMIZERS = { SGD };

// ---- from case to trajectory --------------------------------------------------------------------------------------

function run({ id, optimizer, variables, events, keep }) {
  const made = new OPTIMIZERS[optimizer.class_name](optimizer.config);
  const weights = variables.map(({ value }) => {
    if (value.dtype !== "float32") throw new Unsupported(`no ${value.dtype}`);
    return decoded(value.values);
  });
  const steps = [];
  let layout = [];
  let count = 0;
  for (const event of unrolled(events)) {
    if (event.load) {
      made.load(event.load, weights);
      count = event.load.step;
      continue;
    }
    only({ apply: true }, event);
    made.apply(event.apply.map(gradient), weights);
    count += 1;
    if (keep && !keep.includes(count)) continue;
    const state = made.state();
    layout = state.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    steps.push({ step: count, variables: weights.map(encoded), state: state.map((entry) => encoded(entry.values)) });
  }
  return { id, layout, steps };
}

function* unrolled(events) {
  for (const event of events) {
    if (!("repeat" in event)) yield event;
    else for (let n = 0; n < event.repeat; n++) yield* unrolled(event.events);
  }
}

function gradient(given) {
  if (!Array.isArray(given)) throw new Unsupported("no gradients that are missing, sparse or of another dtype");
  return decoded(given);
}

function only(known, given) {
  const unknown = Object.keys(given).filter((name) => !(name in known));
  if (unknown.length) throw new Unsupported(`no ${unknown.join(", ")}`);
}

// JSON has neither NaN nor infinities, and JavaScript's loses the sign of zero: these are strings.
const SPECIAL = { NaN, Infinity, "-Infinity": -Infinity, "-0": -0 };
const decoded = (values) => Float32Array.from(values, (x) => SPECIAL[x] ?? x);
const encoded = (values) => Array.from(values, (x) => (Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x)));

// ---- the protocol -------------------------------------------------------------------------------------------------

function answer(request) {
  if (request.command === "start") return DECLARED;
  try {
    return { seq: request.seq, trajectory: run(request.case) };
  } catch (error) {
    if (error instanceof Unsupported) return { seq: request.seq, unsupported: error.message };
    return { seq: request.seq, failed: error.stack };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.command === "stop") break;
  console.log(JSON.stringify(answer(request)));
}
