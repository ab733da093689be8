// Right, in another language: seven optimizers of Keras 3 in JavaScript, behind the protocol of docs/protocol.md.
//
// A double holds every sum, product, quotient and root of two float32 numbers well enough that rounding it to
// float32 gives what the processor gives. Powers are the exception: rounded from a double they are the nearest float32,
// which the C library's powf now and then is not, so it is judged within an ulp per operation.

import { createInterface } from "node:readline";

const FEATURES = ["dense", "none", "ema", "weight_decay"];

class Unsupported extends Error {}
class KerasError extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

const TINY = 2 ** -126;
const f = (x) => {
  const rounded = Math.fround(x);
  return Math.abs(rounded) < TINY ? 0 * rounded : rounded;
};
const greater = (a, b) => (Number.isNaN(a) || a > b ? a : b);


// Each rule: slots, defaults, and a function that changes w[k] and the slots' [k], given g = gradient[k].
const ADAM = { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
const adam = {
  slots: ({ amsgrad }) => [["momentum", "velocity"], ...(amsgrad ? [["velocity_hat"]] : [])],
  prepare: ({ beta_1, beta_2, epsilon }, lr, t) => {
    const root = f(Math.sqrt(f(1 - f(Math.pow(f(beta_2), t)))));
    return {
      alpha: f(f(lr * root) / f(1 - f(Math.pow(f(beta_1), t)))),
      rest1: f(1 - beta_1),
      rest2: f(1 - beta_2),
      epsilon: f(epsilon),
    };
  },
  step: (w, k, g, s, c) => {
    const { momentum: m, velocity: v, velocity_hat: top } = s;
    m[k] = f(m[k] + f(f(g - m[k]) * c.rest1));
    v[k] = f(v[k] + f(f(f(g * g) - v[k]) * c.rest2));
    if (top) top[k] = greater(top[k], v[k]);
    const below = f(f(Math.sqrt(top ? top[k] : v[k])) + c.epsilon);
    w[k] = f(w[k] - f(f(c.alpha * m[k]) / below));
  },
};
const RULES = {
  SGD: {
    name: "sgd",
    defaults: { learning_rate: 0.01, momentum: 0, nesterov: false },
    slots: ({ momentum }) => (momentum ? [["momentum"]] : []),
    prepare: ({ momentum, nesterov }, lr) => ({ momentum: f(momentum), nesterov, lr }),
    step: (w, k, g, { momentum: m }, c) => {
      const pull = f(c.lr * g);
      if (!m) w[k] = f(w[k] - pull);
      else {
        m[k] = f(f(c.momentum * m[k]) - pull);
        w[k] = f(w[k] + (c.nesterov ? f(f(c.momentum * m[k]) - pull) : m[k]));
      }
    },
  },
  Adam: { name: "adam", defaults: { ...ADAM, amsgrad: false }, ...adam },
  AdamW: { name: "adam_w", defaults: { ...ADAM, amsgrad: false, weight_decay: 0.004 }, ...adam },
  Adagrad: {
    name: "adagrad",
    defaults: { learning_rate: 0.001, initial_accumulator_value: 0.1, epsilon: 1e-7 },
    slots: () => [["accumulator"]],
    prepare: ({ epsilon }, lr) => ({ epsilon: f(epsilon), lr }),
    step: (w, k, g, { accumulator: a }, c) => {
      a[k] = f(a[k] + f(g * g));
      w[k] = f(w[k] - f(f(c.lr * g) / f(Math.sqrt(f(a[k] + c.epsilon)))));
    },
  },
  Adadelta: {
    name: "adadelta",
    defaults: { learning_rate: 0.001, rho: 0.95, epsilon: 1e-7 },
    slots: () => [["accumulated_grad", "accumulated_delta_var"]],
    prepare: ({ rho, epsilon }, lr) => ({ rho: f(rho), rest: f(1 - rho), epsilon: f(epsilon), lr }),
    step: (w, k, g, { accumulated_grad: a, accumulated_delta_var: d }, { rho, rest, epsilon, lr }) => {
      a[k] = f(f(rho * a[k]) + f(rest * f(g * g)));
      const top = f(f(Math.sqrt(f(d[k] + epsilon))) * g);
      const change = -f(top / f(Math.sqrt(f(a[k] + epsilon))));
      d[k] = f(f(rho * d[k]) + f(rest * f(change * change)));
      w[k] = f(w[k] + f(lr * change));
    },
  },
  RMSprop: {
    name: "rm_sprop",
    defaults: { learning_rate: 0.001, rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false },
    slots: ({ momentum, centered }) =>
      [["velocity"], ...(momentum ? [["momentum"]] : []), ...(centered ? [["average_gradient"]] : [])],
    prepare: ({ rho, momentum, epsilon }, lr) => ({
      rho: f(rho), rest: f(1 - rho), momentum: f(momentum), epsilon: f(epsilon), lr,
    }),
    step: (w, k, g, { velocity: v, momentum: m, average_gradient: a }, c) => {
      v[k] = f(f(c.rho * v[k]) + f(c.rest * f(g * g)));
      let spread = v[k];
      if (a) {
        a[k] = f(f(c.rho * a[k]) + f(c.rest * g));
        spread = f(spread - f(a[k] * a[k]));
      }
      let move = f(f(c.lr * g) / f(Math.sqrt(f(spread + c.epsilon))));
      if (m) move = m[k] = f(f(c.momentum * m[k]) + move);
      w[k] = f(w[k] - move);
    },
  },
  Lion: {
    name: "lion",
    defaults: { learning_rate: 0.001, beta_1: 0.9, beta_2: 0.99 },
    slots: () => [["momentum"]],
    prepare: ({ beta_1, beta_2 }, lr) => ({ b1: f(beta_1), b2: f(beta_2), lr }),
    step: (w, k, g, { momentum: m }, { b1, b2, lr }) => {
      const ahead = f(f(m[k] * b1) + f(g * f(1 - b1)));
      w[k] = f(w[k] - f(lr * Math.sign(ahead)));
      m[k] = f(f(m[k] * b2) + f(g * f(1 - b2)));
    },
  },
};
const COMMON = { weight_decay: null, use_ema: false, ema_momentum: 0.99, ema_overwrite_frequency: null, name: null };

class Optimizer {
  constructor({ class_name, config }) {
    this.rule = RULES[class_name];
    const known = { ...COMMON, ...this.rule.defaults };
    const unknown = Object.entries(config).find(([key, value]) => !(key in known) && value !== null);
    if (unknown) throw new Unsupported(`no ${unknown[0]}`);
    this.config = { ...known, ...config };
    if (typeof this.config.learning_rate !== "number") throw new Unsupported("no learning rate but numbers");
    this.name = this.config.name ?? this.rule.name;
    this.rate = Math.fround(this.config.learning_rate);
    this.count = 0;
    this.entries = [];
    this.spared = { variables: [], names: [] };
  }

  build(variables) {
    if (this.variables) return;
    this.variables = variables;
    const make = (v, slot) => {
      const start = slot === "accumulator" ? this.config.initial_accumulator_value : 0;
      v.slots[slot] = new Float32Array(v.w.length).fill(start);
      this.entries.push({ v, slot });
    };
    if (this.config.use_ema) for (const v of variables) make(v, "average");
    for (const group of this.rule.slots(this.config))
      for (const v of variables) for (const slot of group) make(v, slot);
  }

  apply(gradients, variables) {
    if (!variables.length) throw new KerasError("ValueError", "nothing to apply");
    this.build(variables);
    if (variables.some((v) => !this.variables.includes(v))) throw new KerasError("ValueError", "an unknown variable");
    const pairs = variables.map((v, i) => [v, gradients[i]]).filter(([, g]) => g !== null);
    if (!pairs.length) throw new KerasError("ValueError", "no gradients");
    const { weight_decay: decay } = this.config;
    for (const [v] of pairs)
      if (decay !== null && !this.spares(v))
        for (let k = 0; k < v.w.length; k++) v.w[k] = f(v.w[k] - f(f(v.w[k] * f(decay)) * this.rate));
    const constants = this.rule.prepare(this.config, this.rate, this.count + 1);
    for (const [v, g] of pairs) for (let k = 0; k < v.w.length; k++) this.rule.step(v.w, k, f(g[k]), v.slots, constants);
    this.average();
    this.count += 1;
  }

  spares(v) {
    const { variables = [], names = [] } = this.spared;
    return variables.includes(v.index) || names.some((pattern) => new RegExp(pattern).test(`${v.name}:0`));
  }

  average() {
    const { use_ema, ema_momentum, ema_overwrite_frequency: every } = this.config;
    if (!use_ema) return;
    const keep = f(this.count ? ema_momentum : 0);
    for (const { w, slots } of this.variables) {
      const a = slots.average;
      for (let k = 0; k < w.length; k++) a[k] = f(f(keep * a[k]) + f(f(1 - keep) * w[k]));
      if (every && (this.count + 1) % every === 0) w.set(a);
    }
  }

  finalize(variables) {
    if (!this.config.use_ema) return;
    if (!this.variables) throw new KerasError("AttributeError", "no averages yet");
    variables.forEach((v, i) => {
      const { average } = this.variables[i].slots;
      if (average.length !== v.w.length || String(this.variables[i].shape) !== String(v.shape))
        throw new KerasError("ValueError", "another shape");
      v.w.set(average);
    });
  }

  state() {
    return [
      { name: `${this.name}/iteration`, dtype: "int64", shape: [], values: [this.count] },
      { name: `${this.name}/learning_rate`, dtype: "float32", shape: [], values: [this.rate] },
      ...this.entries.map(({ v, slot }) => (
        { name: `${this.name}/${v.name}_${slot}`, dtype: "float32", shape: v.shape, values: v.slots[slot] }
      )),
    ];
  }

  load({ variables, state }, all) {
    this.build(all);
    variables.forEach((values, i) => all[i].w.set(decoded(values)));
    [this.count, this.rate] = [state[0][0], decoded(state[1])[0]];
    this.entries.forEach(({ v, slot }, i) => v.slots[slot].set(decoded(state[i + 2])));
  }
}

function run({ id, optimizer, variables, events, keep, mode, replicas }) {
  if (mode || replicas) throw new Unsupported("no graphs, no replicas");
  const all = variables.map(({ name, value, constraint }, index) => {
    if (value.dtype !== "float32") throw new Unsupported(`no ${value.dtype}`);
    if (constraint) throw new Unsupported("no constraints");
    return { index, name, shape: value.shape, w: decoded(value.values), slots: {} };
  });
  const made = new Optimizer(optimizer);
  const answer = { id, layout: null, steps: [] };
  let count = 0, latest = null, stage = "";
  const play = (event) => {
    stage = Object.keys(event).find((key) => key !== "of");
    const some = event.of ? event.of.map((i) => all[i]) : all;
    if (stage === "apply") made.apply(event.apply.map(gradient), some);
    else if (stage === "finalize") made.finalize(some);
    else if (stage === "exclude") made.spared = event.exclude;
    else throw new Unsupported(`no ${stage}`);
  };
  const caught = (event) => {
    try {
      play(event);
    } catch (error) {
      if (!(error instanceof KerasError)) throw error;
      return { stage, type: error.type, message: error.message };
    }
    return null;
  };
  for (const event of unrolled(events)) {
    if ("load" in event) {
      made.load(event.load, all);
      count = event.load.step;
      continue;
    }
    const error = caught(event.attempt ?? event);
    if (error && !("attempt" in event)) return { ...answer, layout: answer.layout ?? [], error };
    count += 1;
    if (keep && !keep.includes(count)) continue;
    const state = made.state();
    const layout = state.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    const changed = answer.layout && JSON.stringify(layout) !== JSON.stringify(latest);
    answer.layout ??= layout;
    latest = layout;
    answer.steps.push({
      step: count,
      variables: all.map(({ w }) => encoded(w)),
      state: state.map(({ values }) => encoded(values)),
      ...(changed ? { layout } : {}),
      ...(error ? { error } : {}),
    });
  }
  return { ...answer, layout: answer.layout ?? [] };
}

function* unrolled(events) {
  for (const event of events) {
    if (!("repeat" in event)) yield event;
    else for (let n = 0; n < event.repeat; n++) yield* unrolled(event.events);
  }
}

function gradient(given) {
  if (given !== null && !Array.isArray(given)) throw new Unsupported("no sparse gradients, and none of another dtype");
  return given && decoded(given);
}

const SPECIAL = { NaN, Infinity, "-Infinity": -Infinity, "-0": -0 };
const decoded = (values) => Float32Array.from(values, (x) => SPECIAL[x] ?? x);
const encoded = (values) => Array.from(values, (x) => (Object.is(x, -0) ? "-0" : Number.isFinite(x) ? x : String(x)));

function answered(request) {
  if (request.command === "start") {
    const optimizers = Object.keys(RULES);
    return { protocol: 1, name: "javascript", version: process.version, editions: ["keras3"], optimizers, features: FEATURES, tolerance: "ulp:1" };
  }
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
  console.log(JSON.stringify(answered(request)));
}
