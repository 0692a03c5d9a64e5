// What every script finds: console, timers, text and bytes, and a JSON.parse
// that keeps the digits of an id. host(name, ...) is the one way out of the
// sandbox; it is taken from the global object before a script runs.

const host = globalThis.host;
delete globalThis.host;

const stringify = JSON.stringify;
const parseJSON = JSON.parse;
const isError = (v) => v instanceof Error;
const isObject = (v) => v !== null && typeof v === 'object';
const isFunction = (v) => typeof v === 'function';
const lower = (s) => String(s).toLowerCase();

function global(name, value) {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

// An integer beyond 2^53 would become its neighbour, another user's id perhaps.
// It is read as the text of its digits.
JSON.parse = function parse(text, reviver) {
  text = String(text);
  let kept;
  try {
    kept = host('json', text);
  } catch (e) {
    throw new SyntaxError(e.message);
  }
  return parseJSON(kept === '' ? text : kept, reviver);
};

// The words for an error that a script throws, rejects with or hands to its
// callback: an Error, a text, or any object.
function describe(e) {
  try {
    if (isError(e)) {
      const place = e.name === 'Error' ? null : /\bfetchUserProfile:(\d+)/.exec(String(e.stack));
      const text = (e.name === 'Error' ? '' : e.name + ': ') + e.message;
      return (text || 'an error without a message') + (place ? ' (line ' + place[1] + ')' : '');
    }
    if (!isObject(e)) return String(e);
    if (typeof e.message === 'string' && e.message) return e.message;
    return stringify(e) || 'an error without a message';
  } catch {
    return 'an error that cannot be written down';
  }
}

// console

function inspect(v) {
  if (typeof v === 'string') return v;
  if (isError(v)) return describe(v);
  if (isFunction(v)) return '[function ' + (v.name || 'anonymous') + ']';
  if (isObject(v)) {
    try {
      return stringify(v);
    } catch {
      return '[object]';
    }
  }
  return String(v);
}

const consoleObject = {};
for (const level of ['log', 'debug', 'info', 'warn', 'error', 'trace', 'dir']) {
  consoleObject[level] = (...args) => {
    host('log', level, args.map(inspect).join(' '));
  };
}
for (const name of ['time', 'timeEnd', 'group', 'groupEnd', 'table', 'assert', 'count']) consoleObject[name] = () => {};
global('console', consoleObject);

// Timers. The host calls back with the number of the timer that is due.

const timers = new Map();
let lastTimer = 0;

class Timeout {
  constructor(id) { this.id = id; }
  ref() { return this; }
  unref() { return this; }
  hasRef() { return true; }
  [Symbol.toPrimitive]() { return this.id; }
}

function startTimer(f, delay, args, again) {
  if (!isFunction(f)) throw new TypeError('The "callback" argument must be of type function.');
  const ms = Math.min(Math.max(Number(delay) || 0, again ? 1 : 0), 2147483647);
  const id = ++lastTimer;
  timers.set(id, { run: () => f(...args), again, ms });
  host('timer', String(id), String(ms));
  return new Timeout(id);
}

function stopTimer(id) {
  if (timers.delete(Number(id))) host('untimer', String(Number(id)));
}

function timerDue(id) {
  const t = timers.get(id);
  if (!t) return;
  if (t.again) host('timer', String(id), String(t.ms));
  else timers.delete(id);
  t.run();
}

const settled = Promise.resolve();
const queueMicrotask = (f) => { settled.then(f); };
const timerFunctions = {
  setTimeout: (f, ms, ...args) => startTimer(f, ms, args, false),
  setInterval: (f, ms, ...args) => startTimer(f, ms, args, true),
  setImmediate: (f, ...args) => startTimer(f, 0, args, false),
  clearTimeout: stopTimer, clearInterval: stopTimer, clearImmediate: stopTimer,
};
for (const name of Object.keys(timerFunctions)) global(name, timerFunctions[name]);
global('queueMicrotask', queueMicrotask);

// Every run starts from the same copy of memory, the generator's state
// included; so chance has to come from outside.
Math.random = () => Number(host('random'));

// Text and bytes, by the host's codecs

const bytesOf = (v) => (v instanceof ArrayBuffer ? v : v.buffer.slice(v.byteOffset, v.byteOffset + v.byteLength));
const encode = (view, encoding) => host('encode', encoding, bytesOf(view));
const decode = (text, encoding) => host('decode', encoding, String(text));

global('atob', (text) => {
  text = String(text).replace(/[\t\n\f\r ]/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) throw new TypeError('The string to be decoded is not correctly encoded.');
  return encode(decode(text, 'base64'), 'latin1');
});
global('btoa', (text) => {
  if (/[^\0-\xff]/.test(String(text))) throw new TypeError('Invalid character');
  return encode(decode(text, 'latin1'), 'base64');
});
global('TextEncoder', class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text) { return new Uint8Array(decode(text === undefined ? '' : text, 'utf8')); }
});
global('TextDecoder', class TextDecoder {
  constructor(label = 'utf-8') {
    const names = { 'utf8': 'utf-8', 'utf-8': 'utf-8', 'utf-16le': 'utf-16le', 'utf-16': 'utf-16le', 'latin1': 'latin1', 'ascii': 'latin1', 'iso-8859-1': 'latin1', 'windows-1252': 'latin1' };
    this.encoding = names[lower(label)];
    if (!this.encoding) throw new RangeError('The "' + label + '" encoding is not supported');
  }
  decode(view) { return view === undefined ? '' : encode(view, this.encoding.replace('-', '').replace('-', '')).replace(/^\uFEFF/, ''); }
});
