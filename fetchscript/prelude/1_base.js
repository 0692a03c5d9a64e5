// What every script finds: console, timers, bytes and text, and a JSON.parse
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
  if (isError(e)) {
    const place = e.name === 'Error' ? null : /\bfetchUserProfile:(\d+)/.exec(String(e.stack));
    const text = (e.name === 'Error' ? '' : e.name + ': ') + e.message;
    return (text || 'an error without a message') + (place ? ' (line ' + place[1] + ')' : '');
  }
  if (!isObject(e)) return String(e);
  if (typeof e.message === 'string' && e.message) return e.message;
  try {
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

function startTimer(f, delay, args, again) {
  if (!isFunction(f)) throw new TypeError('the callback of a timer is not a function');
  const ms = Math.min(Math.max(Number(delay) || 0, again ? 1 : 0), 2147483647);
  const id = ++lastTimer;
  timers.set(id, { run: () => f(...args), again, ms });
  host('timer', String(id), String(ms));
  return id;
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

global('setTimeout', (f, ms, ...args) => startTimer(f, ms, args, false));
global('setInterval', (f, ms, ...args) => startTimer(f, ms, args, true));
global('setImmediate', (f, ...args) => startTimer(f, 0, args, false));
global('clearTimeout', stopTimer);
global('clearInterval', stopTimer);
global('clearImmediate', stopTimer);
const settled = Promise.resolve();
const queueMicrotask = (f) => { settled.then(f); };
global('queueMicrotask', queueMicrotask);

// Every run starts from the same copy of memory, the generator's state
// included; so chance has to come from outside.
Math.random = () => Number(host('random'));

// Bytes and text

function bytesOf(view) {
  if (view instanceof ArrayBuffer) return view;
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
}

const encodings = {
  'utf8': 'utf8', 'utf-8': 'utf8', 'hex': 'hex', 'base64': 'base64', 'base64url': 'base64url',
  'latin1': 'latin1', 'binary': 'latin1', 'ascii': 'ascii', 'utf16le': 'utf16le', 'utf-16le': 'utf16le', 'ucs2': 'utf16le', 'ucs-2': 'utf16le',
};

function encodingName(name) {
  if (name === undefined || name === null) return 'utf8';
  const known = encodings[lower(name)];
  if (!known) throw new TypeError('Unknown encoding: ' + name);
  return known;
}

const encode = (view, encoding) => host('encode', encodingName(encoding), bytesOf(view));
const decode = (text, encoding) => host('decode', encodingName(encoding), String(text));

class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === 'string') return new Buffer(decode(value, encoding));
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
    if (ArrayBuffer.isView(value)) return new Buffer(bytesOf(value));
    if (isObject(value) && value.type === 'Buffer' && Array.isArray(value.data)) return Buffer.from(value.data);
    if (Array.isArray(value) || isObject(value) && typeof value.length === 'number') {
      const b = new Buffer(value.length);
      for (let i = 0; i < b.length; i++) b[i] = value[i] & 255;
      return b;
    }
    throw new TypeError('Buffer.from takes a string, a Buffer, an ArrayBuffer or an array');
  }
  static alloc(size, fill, encoding) {
    const b = new Buffer(size);
    return fill === undefined ? b : b.fill(fill, 0, size, encoding);
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static isBuffer(v) { return v instanceof Buffer; }
  static isEncoding(name) { return lower(name) in encodings; }
  static byteLength(v, encoding) { return typeof v === 'string' ? decode(v, encoding).byteLength : v.byteLength; }
  static concat(list, total) {
    const size = total === undefined ? list.reduce((n, b) => n + b.length, 0) : total;
    const all = new Buffer(size);
    let at = 0;
    for (const b of list) {
      all.set(b.subarray(0, Math.max(size - at, 0)), at);
      at += b.length;
      if (at >= size) break;
    }
    return all;
  }
  static compare(a, b) { return a.compare(b); }
  toString(encoding, start, end) { return encode(this.subarray(start, end), encoding); }
  toJSON() { return { type: 'Buffer', data: Array.from(this) }; }
  equals(other) { return this.compare(other) === 0; }
  compare(other) {
    const n = Math.min(this.length, other.length);
    for (let i = 0; i < n; i++) if (this[i] !== other[i]) return this[i] < other[i] ? -1 : 1;
    return Math.sign(this.length - other.length);
  }
  fill(value, start, end, encoding) {
    if (typeof value !== 'string') return super.fill(value & 255, start, end);
    const pattern = new Uint8Array(decode(value, encoding));
    for (let i = start || 0, j = 0; pattern.length && i < (end === undefined ? this.length : end); i++, j++) this[i] = pattern[j % pattern.length];
    return this;
  }
  write(text, offset) {
    const b = Buffer.from(text).subarray(0, this.length - (offset || 0));
    this.set(b, offset || 0);
    return b.length;
  }
  slice(start, end) { return this.subarray(start, end); }
  copy(target, at) { target.set(this.subarray(0, target.length - (at || 0)), at || 0); return this.length; }
  readUInt8(i) { return this[i || 0]; }
  readUInt16BE(i) { return new DataView(this.buffer, this.byteOffset).getUint16(i || 0); }
  readUInt32BE(i) { return new DataView(this.buffer, this.byteOffset).getUint32(i || 0); }
}

// Old scripts call new Buffer('text', 'base64'), and Buffer('text') as well.
const BufferGlobal = new Proxy(Buffer, {
  construct: (target, args, self) =>
    typeof args[0] === 'string' || Array.isArray(args[0]) ? Buffer.from(...args) : Reflect.construct(target, args, self === BufferGlobal ? target : self),
  apply: (target, self, args) => typeof args[0] === 'number' ? Buffer.alloc(args[0]) : Buffer.from(...args),
});
global('Buffer', BufferGlobal);

global('atob', (text) => encode(new Uint8Array(decode(text, 'base64')), 'latin1'));
global('btoa', (text) => {
  if (/[^\0-\xff]/.test(String(text))) throw new TypeError('btoa takes characters up to U+00FF');
  return encode(new Uint8Array(decode(text, 'latin1')), 'base64');
});

global('TextEncoder', class TextEncoder {
  get encoding() { return 'utf-8'; }
  encode(text) { return new Uint8Array(decode(text === undefined ? '' : text, 'utf8')); }
});
global('TextDecoder', class TextDecoder {
  constructor(label) { this.encoding = encodingName(label) === 'utf8' ? 'utf-8' : encodingName(label); }
  decode(view) { return view === undefined ? '' : encode(view, this.encoding); }
});

class EventEmitter {
  on(name, f) {
    const all = this._handlers || (this._handlers = Object.create(null));
    (all[name] || (all[name] = [])).push(f);
    return this;
  }
  addListener(name, f) { return this.on(name, f); }
  once(name, f) {
    const first = (...args) => { this.off(name, first); f.apply(this, args); };
    return this.on(name, first);
  }
  off(name, f) {
    const all = this._handlers && this._handlers[name];
    if (all) this._handlers[name] = all.filter((g) => g !== f);
    return this;
  }
  removeListener(name, f) { return this.off(name, f); }
  removeAllListeners(name) { if (this._handlers) delete this._handlers[name]; return this; }
  listenerCount(name) { return ((this._handlers && this._handlers[name]) || []).length; }
  emit(name, ...args) {
    const all = ((this._handlers && this._handlers[name]) || []).slice();
    for (const f of all) f.apply(this, args);
    return all.length > 0;
  }
}
EventEmitter.EventEmitter = EventEmitter;
