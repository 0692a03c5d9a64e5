// The libraries, as their authors publish them (see library/), each run when it
// is first asked for; and what Node adds to some of them.

const processOfLibraries = { env: {}, version: 'v20.0.0', versions: {}, argv: [], browser: true, nextTick: (f, ...args) => queueMicrotask(() => f(...args)) };
const loaded = Object.create(null);

const once = (name, make) => (name in loaded ? loaded[name] : (loaded[name] = make()));

function library(name) {
  const key = 'library ' + name;
  if (key in loaded) return loaded[key].exports;
  const module = loaded[key] = { exports: {} }; // at once: one may ask for itself while it runs
  host('library', name)(module, module.exports, require, processOfLibraries, globalThis, (domain) => host('domain', domain) || null);
  return module.exports;
}

// A lazy global is made when it is first looked at, and may be replaced.
function lazy(name, get) {
  const set = (value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  Object.defineProperty(globalThis, name, { get, set, configurable: true, enumerable: false });
}

const EventEmitter = library('events');

// The library takes base64url for no encoding, and its codecs are slow here.
const bufferModule = () => once('buffer', () => {
  const module = library('buffer');
  const { Buffer } = module;
  const codecs = { 'utf8': 'utf8', 'utf-8': 'utf8', 'hex': 'hex', 'base64': 'base64', 'base64url': 'base64url', 'latin1': 'latin1', 'binary': 'latin1' };
  const codec = (encoding) => codecs[encoding === undefined || encoding === null || encoding === '' ? 'utf8' : lower(encoding)];
  const { from, isEncoding, byteLength } = Buffer;
  const { toString } = Buffer.prototype;
  Buffer.from = (value, encoding, length) => from(typeof value === 'string' && codec(encoding) ? decode(value, codec(encoding)) : value, encoding, length);
  Buffer.isEncoding = (encoding) => lower(encoding) === 'base64url' || isEncoding(encoding);
  Buffer.byteLength = (value, encoding) => (typeof value === 'string' && codec(encoding) ? decode(value, codec(encoding)).byteLength : byteLength(value, encoding));
  Buffer.prototype.toString = function (encoding, start, end) {
    return codec(encoding) ? encode(this.subarray(start < 0 ? 0 : start, end < 0 ? 0 : end), codec(encoding)) : toString.call(this, encoding, start, end);
  };
  return module;
});
lazy('Buffer', () => bufferModule().Buffer);

const urls = () => once('urls', () => {
  const { URL, URLSearchParams } = library('whatwg-url');
  const named = new Proxy(URL, {
    construct(target, args, self) {
      try {
        return Reflect.construct(target, args, self);
      } catch (e) {
        throw args.length ? Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: String(args[0]) }) : e;
      }
    },
  });
  URL.prototype.constructor = named;
  return { URL: named, URLSearchParams };
});
lazy('URL', () => urls().URL);
lazy('URLSearchParams', () => urls().URLSearchParams);
const isURL = (v) => isObject(v) && 'library whatwg-url' in loaded && v instanceof library('whatwg-url').URL;
const isSearchParams = (v) => isObject(v) && 'library whatwg-url' in loaded && v instanceof library('whatwg-url').URLSearchParams;

global('DOMException', class DOMException extends Error {
  constructor(message = '', name = 'Error') { super(message); this.name = name; }
});
function abort() {
  const { AbortController, AbortSignal } = library('abort'); // while that runs, it looks for native ones
  if (AbortSignal && !AbortSignal.abort) AbortSignal.abort = (reason) => { const c = new AbortController(); c.abort(reason); return c.signal; };
  return { AbortController, AbortSignal };
}
lazy('AbortController', () => abort().AbortController);
lazy('AbortSignal', () => abort().AbortSignal);
lazy('jwt', () => library('jsonwebtoken'));
lazy('_', () => library('lodash'));
lazy('request', () => require('request'));

const querystringModule = () => {
  const { encode, decode } = library('querystring');
  const unescape = (text) => {
    try {
      return decodeURIComponent(text);
    } catch {
      return String(text);
    }
  };
  return { encode, decode, stringify: encode, parse: decode, escape: encodeURIComponent, unescape };
};

const urlModule = () => {
  const url = library('url');
  return { ...url, ...urls(), format: (u) => (isURL(u) ? u.href : url.format(u)), resolve: (from, to) => url.resolve(String(from), String(to)) };
};

const utilModule = () => {
  const util = { ...library('util'), TextEncoder: globalThis.TextEncoder, TextDecoder: globalThis.TextDecoder };
  util.isDeepStrictEqual = (a, b) => library('assert').comparisons.isDeepStrictEqual(a, b);
  for (const name of ['inspect', 'format', 'formatWithOptions', 'stripVTControlCharacters']) {
    Object.defineProperty(util, name, { get: () => library('inspect')[name], configurable: true, enumerable: true });
  }
  return util;
};

// A version behind the name is the vendor's idiom. axios is there in two of them:
// before 1.0 and after.
const modules = Object.assign(Object.create(null), {
  'assert': () => library('assert'),
  'axios': (version) => axiosOf(/^[~^]?0/.test(version) ? 'axios0' : 'axios'),
  'buffer': bufferModule,
  'crypto': () => cryptoModule,
  'events': () => EventEmitter,
  'http': () => nodeHTTP('http:'),
  'https': () => nodeHTTP('https:'),
  'jsonwebtoken': () => library('jsonwebtoken'),
  'jwt-decode': () => { const decode = library('jwt-decode'); return Object.assign(decode, { jwtDecode: decode }); },
  'lodash': () => library('lodash'),
  'oauth': () => library('oauth'),
  'querystring': querystringModule,
  'request': () => requestFunction({}),
  'stream': () => library('stream'),
  'string_decoder': () => ({ StringDecoder: library('stream').StringDecoder }),
  'timers': () => timerFunctions,
  'url': urlModule,
  'util': utilModule,
  'xml2js': () => library('xml2js'),
  'zlib': () => library('zlib'),
});

function require(name) {
  const [, bare, version] = /^(?:node:)?(.+?)(?:@([^/]*))?\/?$/.exec(String(name)) || [];
  if (!(bare in modules)) throw new Error('module "' + name + '" is not available; available are ' + Object.keys(modules).join(', '));
  return once(bare + ' ' + (bare === 'axios' && /^[~^]?0/.test(version) ? 0 : ''), () => modules[bare](version));
}
