// request, axios, https and fetch, all on one way to the host's HTTP client.

const exchanges = new Map();
let lastExchange = 0;

// send hands a request to the host. o: method, url, headers, body (a text or
// bytes), timeout in ms, redirects: how many are followed, all: whether after
// a POST too, raw: whether the script decompresses. done(err, answer) gets an
// answer of statusCode, statusMessage, headers, url, and bytes or text of the body.
function send(o, done) {
  const id = ++lastExchange;
  exchanges.set(id, { done, binary: o.binary });
  const headers = [];
  for (const name of Object.keys(o.headers || {})) {
    const value = o.headers[name];
    if (value === undefined || value === null || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.push([name, String(one)]);
  }
  const binary = isObject(o.body);
  const body = o.body === undefined || o.body === null ? '' : binary ? encode(o.body, 'base64') : String(o.body);
  host('http', String(id), stringify({
    method: String(o.method || 'GET').toUpperCase(), url: o.url, headers, binary, timeout: Number(o.timeout) || 0,
    redirects: o.redirects || 0, all: !!o.all, raw: !!o.raw, wantBinary: !!o.binary,
  }), body);
  return () => { exchanges.delete(id); };
}

const failure = (message, code) => Object.assign(new Error(message), { code, errno: code });

function answered(id, meta, body) {
  const exchange = exchanges.get(id);
  if (!exchange) return;
  exchanges.delete(id);
  const answer = parseJSON(meta);
  if (answer.error) return exchange.done(failure(answer.error, answer.code));
  answer.body = exchange.binary ? bufferModule().Buffer.from(body, 'base64') : body.replace(/^\uFEFF/, '');
  exchange.done(null, answer);
}

const headerName = (headers, name) => Object.keys(headers).find((k) => lower(k) === lower(name));
const addHeader = (headers, name, value) => { if (headerName(headers, name) === undefined) headers[name] = value; };
const basic = (user, pass) => 'Basic ' + btoa(encode(decode((user === undefined ? '' : user) + ':' + (pass === undefined ? '' : pass), 'utf8'), 'latin1'));
const withQuery = (url, query) => (query ? url.replace(/#.*$/s, '').replace(/[?&]$/, '') + (url.replace(/#.*$/s, '').includes('?') ? '&' : '?') + query : url);

// An address that every parser takes for the same, and that needs none here.
const plainAddress = /^https?:\/\/(?!xn--)[a-z][a-z0-9-]*(\.(?!xn--)[a-z][a-z0-9-]*)+(:\d{2,5})?(\/(?!\.)[\w~-][\w~.-]*)*\/?(\?[\w~.=&%+:,-]*)?$/;
const href = (u) => (typeof u === 'string' && plainAddress.test(u) ? u : new (urls().URL)(String(u)).href);

// addressOf puts together what https and url.parse have in parts. None of the
// parts may reach into another: the host decides who gets the token.
function addressOf(o, protocol) {
  const name = String(o.hostname || o.host || 'localhost').replace(/^\[(.*)\]$/, '$1');
  const path = String(o.path === undefined || o.path === null ? '/' : o.path);
  if (!/^[\w.-]+$/.test(name.replace(/[^\0-\x7f]/g, 'x')) && !/^[\da-f:.]+$/i.test(name)) throw failure('getaddrinfo ENOTFOUND ' + name, 'ENOTFOUND');
  if (/[^\x21-\xff]/.test(path)) throw Object.assign(new TypeError('Request path contains unescaped characters'), { code: 'ERR_UNESCAPED_CHARACTERS' });
  if (!/^\d{0,5}$/.test(o.port || '')) throw Object.assign(new RangeError('Port should be >= 0 and < 65536. Received ' + o.port + '.'), { code: 'ERR_SOCKET_BAD_PORT' });
  const base = (o.protocol || protocol) + '//' + (name.includes(':') ? '[' + name + ']' : name) + (o.port ? ':' + o.port : '');
  return (plainAddress.test(base) ? base : new (urls().URL)(base).origin) + (/^\//.test(path) ? '' : '/') + path.replace(/#.*$/s, '');
}

// https and http: their requests and answers are streams.

const streams = () => once('streams', () => {
  const { Readable, Writable } = library('stream');

  class IncomingMessage extends Readable {
    constructor(answer, body) {
      super();
      Object.assign(this, { statusCode: answer.statusCode, statusMessage: answer.statusMessage, headers: answer.headers, httpVersion: '1.1', complete: true, aborted: false });
      this.rawHeaders = Object.entries(answer.headers).flatMap(([k, v]) => [].concat(v).flatMap((one) => [k, one]));
      this._rest = [body.length ? body : null, null];
    }
    _read() { if (this._rest.length) this.push(this._rest.shift()); }
    setTimeout() { return this; }
  }

  class ClientRequest extends Writable {
    constructor(o, protocol, callback) {
      super();
      this.method = String(o.method || 'GET').toUpperCase();
      this.path = o.path || '/';
      this._headers = {};
      for (const name of Object.keys(o.headers || {})) this.setHeader(name, o.headers[name]);
      if (o.auth && !this.hasHeader('authorization')) this.setHeader('Authorization', basic(...String(o.auth).split(/:(.*)/s)));
      this._url = addressOf(o, protocol);
      this._parts = [];
      if (callback) this.once('response', callback);
      if (o.timeout) this.setTimeout(o.timeout);
      const { signal } = o;
      if (signal) signal.addEventListener('abort', () => this.destroy(signal.reason));
    }
    setHeader(name, value) { this.removeHeader(name); this._headers[name] = value; return this; }
    getHeader(name) { return this._headers[headerName(this._headers, name)]; }
    getHeaders() { return Object.fromEntries(Object.entries(this._headers).map(([k, v]) => [lower(k), v])); }
    hasHeader(name) { return headerName(this._headers, name) !== undefined; }
    removeHeader(name) { delete this._headers[headerName(this._headers, name)]; }
    setNoDelay() { return this; }
    setSocketKeepAlive() { return this; }
    flushHeaders() {}
    setTimeout(ms, f) {
      if (f) this.once('timeout', f);
      stopTimer(this._timer);
      if (ms > 0) this._timer = startTimer(() => this.emit('timeout'), ms, [], false);
      return this;
    }
    abort() { this.aborted = true; this.emit('abort'); this.destroy(); }
    destroy(e) {
      if (this.destroyed) return this;
      this.destroyed = true;
      stopTimer(this._timer);
      if (this._cancel) this._cancel();
      const error = e || (this.res ? null : failure('socket hang up', 'ECONNRESET'));
      queueMicrotask(() => { if (error) this._emit('error', error); this._emit('close'); });
      return this;
    }
    // What a handler throws ends the script, as outside of a promise.
    _emit(...args) {
      try {
        this.emit(...args);
      } catch (e) {
        fail(e);
      }
    }
    _write(part, encoding, done) { this._parts.push(part); done(); }
    _final(done) {
      done();
      if (this.destroyed) return;
      const body = this._parts.length ? bufferModule().Buffer.concat(this._parts) : undefined;
      this._cancel = send({ method: this.method, url: this._url, headers: this._headers, body, binary: true, raw: true }, (e, answer) => {
        stopTimer(this._timer);
        if (e) return this.destroy(e);
        this.res = new IncomingMessage(answer, answer.body);
        this.res.req = this;
        this.res.once('end', () => this.emit('close'));
        if (!this.emit('response', this.res)) this.res.resume();
      });
    }
  }
  return { IncomingMessage, ClientRequest };
});

function nodeHTTP(protocol) {
  const start = (target, options, callback) => {
    if (isFunction(options)) [options, callback] = [undefined, options];
    let o = target;
    if (typeof target === 'string' && plainAddress.test(target)) {
      const [, protocol, hostname, port, path] = /^(.*?)\/\/([^/:?]*)(?::(\d+))?(.*)$/.exec(target);
      o = { protocol, hostname, port, path };
    } else if (typeof target === 'string' || isURL(target)) {
      const u = typeof target === 'string' ? new (urls().URL)(target) : target;
      const auth = u.username || u.password ? decodeURIComponent(u.username) + ':' + decodeURIComponent(u.password) : undefined;
      o = { protocol: u.protocol, hostname: u.hostname, port: u.port, path: u.pathname + u.search, auth };
    }
    o = { ...o, ...options };
    if (o.protocol && o.protocol !== protocol) throw Object.assign(new TypeError('Protocol "' + o.protocol + '" not supported. Expected "' + protocol + '"'), { code: 'ERR_INVALID_PROTOCOL' });
    return new (streams().ClientRequest)(o, protocol, callback);
  };
  class Agent {}
  const get = (...args) => { const r = start(...args); r.end(); return r; };
  return { request: start, get, Agent, globalAgent: new Agent(), get IncomingMessage() { return streams().IncomingMessage; }, METHODS: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] };
}

// request

class Request extends EventEmitter {
  constructor(options) {
    super();
    this._options = options;
    this._cancel = null;
  }
  auth(user, pass, now, bearer) { this._options.auth = bearer ? { bearer } : { user, pass }; return this; }
  form(form) { this._options.form = form; return this; }
  json(json) { this._options.json = json; return this; }
  qs(qs) { this._options.qs = qs; return this; }
  setHeader(name, value) { this._options.headers[name] = value; return this; }
  pipe(to) { this._pipes = [...(this._pipes || []), to]; return to; }
  abort() { if (this._cancel) this._cancel(); this.emit('abort'); }
  end() { return this; }
}

function startRequest(o) {
  const self = new Request(o);
  const { callback } = o;
  const failed = (e) => {
    if (callback) callback(e);
    if (!callback || self.listenerCount('error')) self.emit('error', e);
  };
  // Sent a little later, so that .auth() and .form() still have a say.
  queueMicrotask(() => {
    try {
      const call = requestCall(o);
      const streaming = self._pipes || self.eventNames().length && ['response', 'data', 'end', 'complete'].some((name) => self.listenerCount(name));
      call.binary = call.binary || !!streaming;
      self._cancel = send(call, (e, answer) => {
        if (e) return failed(e);
        let { body } = answer;
        if (streaming && o.encoding !== null) body = body.toString();
        if (o.json && typeof body === 'string') {
          try {
            body = JSON.parse(body, isFunction(o.jsonReviver) ? o.jsonReviver : undefined);
          } catch {
            // request leaves a body that is not JSON as it is.
          }
        }
        const response = streaming ? new (streams().IncomingMessage)(answer, answer.body) : new EventEmitter();
        const { statusCode, statusMessage, headers, url } = answer;
        Object.assign(response, { statusCode, statusMessage, headers, request: { uri: { href: url }, href: url, method: call.method, headers: call.headers } });
        response.toJSON = () => ({ statusCode, body, headers, request: { uri: response.request.uri, method: call.method, headers: call.headers } });
        const complete = () => {
          if (callback) response.body = body;
          if (streaming) self.emit('complete', response, response.body);
          if (callback) callback(null, response, body);
        };
        if (!streaming) return complete();
        self.emit('response', response);
        for (const to of self._pipes || []) response.pipe(to);
        response.on('data', (part) => self.emit('data', part));
        response.on('end', () => { self.emit('end'); complete(); });
      });
    } catch (e) {
      try {
        failed(e);
      } catch (thrown) {
        fail(thrown);
      }
    }
  });
  return self;
}

const rfc3986 = (s) => s.replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const queryOf = (o, options) => rfc3986(typeof o === 'string' ? o : isSearchParams(o) ? o.toString() : library('qs').stringify(o, options));

function requestAddress(o) {
  const given = o.url || o.uri;
  if (!given) throw new Error('options.uri is a required argument');
  let u = given;
  if (typeof u === 'string' && o.baseUrl) u = String(o.baseUrl).replace(/\/$/, '') + (u === '' ? '' : '/' + u.replace(/^\//, ''));
  if (typeof u === 'string' && plainAddress.test(u)) return u;
  if (typeof u === 'string') u = require('url').parse(u);
  if (isURL(u)) return u.href;
  if (!/^https?:$/.test(u.protocol) || !(u.hostname || u.host)) throw new Error('Invalid URI "' + (u.href || given) + '"');
  if (u.auth && !o.auth && headerName(o.headers, 'authorization') === undefined) o.auth = ((pair) => ({ user: pair[0], pass: pair[1] }))(u.auth.split(/:(.*)/s));
  return addressOf({ ...u, path: u.path || (u.pathname || '/') + (u.search || '') });
}

function requestCall(o) {
  const headers = { ...o.headers };
  let url = requestAddress(o);
  if (o.qs) {
    const [base, query] = url.split(/\?(.*)/s);
    const all = Object.assign(library('qs').parse(query), o.qs);
    url = withQuery(base, queryOf(all, o.qsStringifyOptions));
  }
  let { body } = o;
  if (o.form !== undefined && o.form !== null) {
    body = queryOf(o.form, o.qsStringifyOptions);
    addHeader(headers, 'Content-Type', 'application/x-www-form-urlencoded');
  } else if (o.json) {
    if (body === undefined && o.json !== true) body = o.json;
    if (body !== undefined && (typeof body !== 'string' || !/^application\/x-www-form-urlencoded\b/.test(headers[headerName(headers, 'content-type')]))) body = ArrayBuffer.isView(body) ? body : stringify(body);
    if (body !== undefined) addHeader(headers, 'Content-Type', 'application/json');
  } else if (Array.isArray(body)) {
    body = bufferModule().Buffer.concat(body.map((part) => bufferModule().Buffer.from(part)));
  } else if (body !== undefined && body !== null && typeof body !== 'string' && !ArrayBuffer.isView(body)) {
    throw new Error('Argument error, options.body.');
  }
  if (o.json) addHeader(headers, 'Accept', 'application/json');
  if (o.auth) {
    const { bearer, user = o.auth.username, pass = o.auth.password } = o.auth;
    const value = isFunction(bearer) ? bearer() : bearer;
    addHeader(headers, 'Authorization', value !== undefined ? 'Bearer ' + value : basic(user, pass));
  }
  const method = String(o.method || 'GET').toUpperCase();
  if (o.oauth) {
    const form = /x-www-form-urlencoded/.test(headers[headerName(headers, 'content-type')]);
    headers.Authorization = oauthHeader(o.oauth, method, url, form ? body : '');
  }
  const follow = o.followAllRedirects || o.followRedirect !== false && ['GET', 'HEAD', 'OPTIONS'].includes(method);
  return {
    method, url, headers, body, timeout: o.timeout, binary: o.encoding === null, raw: !o.gzip,
    redirects: follow ? (o.maxRedirects === undefined ? 10 : o.maxRedirects) : 0, all: !!o.followAllRedirects,
  };
}

// The header of OAuth 1.0a (RFC 5849, section 3.5.1).
function oauthHeader(oauth, method, url, form) {
  const { sign, rfc3986: escape } = library('oauth-sign');
  const own = { oauth_version: '1.0', oauth_signature_method: 'HMAC-SHA1', oauth_timestamp: String(Math.floor(Date.now() / 1000)), oauth_nonce: cryptoModule.randomUUID().replace(/-/g, '') };
  for (const name of Object.keys(oauth)) if (!['consumer_secret', 'token_secret', 'private_key', 'realm', 'transport_method', 'body_hash'].includes(name)) own['oauth_' + name.replace(/^oauth_/, '')] = oauth[name];
  const [base, query] = url.split(/\?(.*)/s);
  const all = { ...own, ...library('qs').parse([query, form].filter(Boolean).join('&')) };
  own.oauth_signature = sign(own.oauth_signature_method, method, base, all, oauth.private_key || oauth.consumer_secret, oauth.token_secret);
  const realm = oauth.realm ? ['realm="' + oauth.realm + '"'] : [];
  return 'OAuth ' + realm.concat(Object.keys(own).sort().map((name) => name + '="' + escape(own[name]) + '"')).join(',');
}

function requestFunction(defaults) {
  const withMethod = (method) => (target, options, callback) => {
    if (isFunction(options)) [options, callback] = [undefined, options];
    const given = typeof target === 'string' || isURL(target) ? { ...options, url: target } : { ...target, ...options };
    const o = { ...defaults, ...given, headers: { ...defaults.headers, ...given.headers } };
    if (method) o.method = method;
    if (isFunction(callback)) o.callback = callback;
    return startRequest(o);
  };
  const request = withMethod('');
  for (const name of ['get', 'post', 'put', 'patch', 'head', 'options']) request[name] = withMethod(name.toUpperCase());
  request.del = request.delete = withMethod('DELETE');
  request.defaults = (more) => requestFunction({ ...defaults, ...more, headers: { ...defaults.headers, ...more.headers } });
  request.jar = () => ({ setCookie() {}, getCookieString: () => '' });
  request.cookie = (text) => text;
  request.Request = Request;
  return request;
}

// axios is the library, with this in the place of its adapter for Node.
function axiosOf(name) {
  const { axios, settle, buildFullPath, buildURL, enhanceError } = library(name);
  const wrap = (e, config) => (enhanceError ? enhanceError(e, config, e.code, {}) : axios.AxiosError.from(e, null, config, {}));
  axios.defaults.adapter = (config) => new Promise((resolve, reject) => {
    const failed = (e) => reject(wrap(e, config));
    const headers = { ...(config.headers && config.headers.toJSON ? config.headers.toJSON() : config.headers) };
    addHeader(headers, 'User-Agent', 'axios/' + axios.VERSION);
    let { data } = config;
    if (data instanceof ArrayBuffer) data = new Uint8Array(data);
    if (data && typeof data !== 'string' && !ArrayBuffer.isView(data)) return failed(new Error('Data after transformation must be a string, an ArrayBuffer, a Buffer, or a Stream'));
    if (config.auth) {
      delete headers[headerName(headers, 'authorization')];
      headers.Authorization = basic(config.auth.username || '', config.auth.password || '');
    }
    let url;
    try {
      url = href(buildURL(href(buildFullPath(config.baseURL, config.url)), config.params, config.paramsSerializer));
    } catch (e) {
      return reject(e);
    }
    const cancel = send({
      method: config.method, url, headers, body: data, timeout: config.timeout, all: true, binary: ['arraybuffer', 'stream'].includes(config.responseType),
      redirects: config.maxRedirects === undefined ? 5 : config.maxRedirects, raw: config.decompress === false,
    }, (e, answer) => {
      if (e && e.code === 'ETIMEDOUT' && config.timeout) e = failure(config.timeoutErrorMessage || 'timeout of ' + config.timeout + 'ms exceeded', config.transitional && config.transitional.clarifyTimeoutError ? 'ETIMEDOUT' : 'ECONNABORTED');
      if (e) return failed(e);
      const { statusCode, statusMessage, headers: found, url: responseUrl } = answer;
      settle(resolve, reject, {
        status: statusCode, statusText: statusMessage, headers: axios.AxiosHeaders ? new axios.AxiosHeaders(found) : found, config,
        request: { path: responseUrl.replace(/^[^/]*\/\/[^/]*/, ''), res: { responseUrl } },
        data: config.responseType === 'stream' ? new (streams().IncomingMessage)(answer, answer.body) : answer.body,
      });
    });
    const abort = (reason) => {
      cancel();
      reject(reason && !reason.type && axios.isCancel(reason) ? reason : axios.CanceledError ? new axios.CanceledError(null, config, {}) : new axios.Cancel('canceled'));
    };
    if (config.cancelToken) config.cancelToken.promise.then(abort);
    if (config.signal) config.signal.aborted ? abort() : config.signal.addEventListener('abort', abort);
  });
  return axios;
}

// fetch

class Headers {
  constructor(init) {
    this._map = {};
    if (init instanceof Headers) Object.assign(this._map, init._map);
    else if (Array.isArray(init)) for (const [k, v] of init) this.append(k, v);
    else if (isObject(init)) for (const k of Object.keys(init)) this.append(k, init[k]);
  }
  append(k, v) { k = lower(k); this._map[k] = k in this._map ? this._map[k] + ', ' + v : String(v); }
  set(k, v) { this._map[lower(k)] = String(v); }
  get(k) { k = lower(k); return k in this._map ? String(this._map[k]) : null; }
  has(k) { return lower(k) in this._map; }
  delete(k) { delete this._map[lower(k)]; }
  forEach(f) { for (const k of Object.keys(this._map)) f(this._map[k], k, this); }
  entries() { return Object.entries(this._map).values(); }
  [Symbol.iterator]() { return this.entries(); }
}

function fetch(target, o = {}) {
  return new Promise((resolve, reject) => {
    const headers = new Headers(o.headers);
    let { body } = o;
    if (typeof body === 'string') addHeader(headers._map, 'content-type', 'text/plain;charset=UTF-8');
    if (isSearchParams(body)) {
      body = body.toString();
      addHeader(headers._map, 'content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
    }
    const failed = (e) => reject(Object.assign(new TypeError('fetch failed'), { cause: e }));
    let url;
    try {
      url = href(target);
    } catch (e) {
      return reject(Object.assign(new TypeError('Failed to parse URL from ' + target), { cause: e }));
    }
    const { signal } = o;
    if (signal && signal.aborted) return reject(signal.reason);
    const cancel = send({ method: o.method, url, headers: headers._map, body, redirects: o.redirect === 'manual' || o.redirect === 'error' ? 0 : 20, all: true, binary: true }, (e, answer) => {
      if (e) return failed(e);
      const { statusCode: status, body: bytes } = answer;
      if (o.redirect === 'error' && [301, 302, 303, 307, 308].includes(status)) return failed(new Error('unexpected redirect'));
      const text = async () => encode(bytes, 'utf8').replace(/^\uFEFF/, '');
      resolve({
        status, statusText: answer.statusMessage, ok: status >= 200 && status < 300, url: answer.url, headers: new Headers(answer.headers),
        text, json: async () => JSON.parse(await text()), arrayBuffer: async () => bytesOf(bytes),
      });
    });
    if (signal) signal.addEventListener('abort', () => { cancel(); reject(signal.reason); });
  });
}
global('fetch', fetch);
global('Headers', Headers);
