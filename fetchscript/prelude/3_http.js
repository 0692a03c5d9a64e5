// request, axios, https and fetch, all on one way to the host's HTTP client.

const exchanges = new Map();
let lastExchange = 0;

// send hands a request to the host. o: method, url, headers, body (a text or
// bytes), timeout in ms, redirects: how many are followed, all: whether after
// a POST too. done(err, answer) gets an answer of statusCode, statusMessage,
// headers, url, and bytes or text of the body.
function send(o, done) {
  const id = ++lastExchange;
  exchanges.set(id, { done, binary: o.binary });
  const headers = [];
  for (const name of Object.keys(o.headers || {})) {
    const value = o.headers[name];
    if (value === undefined || value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.push([name, String(one)]);
  }
  const binary = isObject(o.body);
  const body = o.body === undefined || o.body === null ? '' : binary ? encode(o.body, 'base64') : String(o.body);
  host('http', String(id), stringify({
    method: (o.method || 'GET').toUpperCase(), url: String(o.url), headers, binary, timeout: Number(o.timeout) || 0,
    redirects: o.redirects || 0, all: !!o.all, wantBinary: !!o.binary,
  }), body);
  return () => { exchanges.delete(id); };
}

function answered(id, meta, body) {
  const exchange = exchanges.get(id);
  if (!exchange) return;
  exchanges.delete(id);
  const answer = parseJSON(meta);
  if (answer.error) {
    const e = new Error(answer.error);
    e.code = answer.code;
    e.errno = answer.code;
    return exchange.done(e);
  }
  answer.body = exchange.binary ? Buffer.from(body, 'base64') : body;
  exchange.done(null, answer);
}

function hasHeader(headers, name) {
  return Object.keys(headers).some((k) => lower(k) === name);
}

const basic = (user, pass) => 'Basic ' + Buffer.from((user === undefined ? '' : user) + ':' + (pass === undefined ? '' : pass)).toString('base64');

function withQuery(url, query) {
  if (!query) return url;
  const [base, ...fragment] = url.split('#');
  return base + (base.includes('?') ? (/[?&]$/.test(base) ? '' : '&') : '?') + query + (fragment.length ? '#' + fragment.join('#') : '');
}

// Anything that names an address: a text, a URL, what url.parse gives, or the options of https.
function addressOf(u, protocol) {
  if (typeof u === 'string') return u;
  if (u instanceof URL) return u.href;
  if (u.href) return u.href;
  return urlModule.format({ ...u, protocol: u.protocol || protocol, pathname: (u.path || u.pathname || '/').split('?')[0], search: u.search || (u.path && u.path.includes('?') ? u.path.slice(u.path.indexOf('?')) : '') });
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
  abort() { if (this._cancel) this._cancel(); }
  end() { return this; }
}

class Response extends EventEmitter {
  constructor(answer, body, method) {
    super();
    this.statusCode = answer.statusCode;
    this.statusMessage = answer.statusMessage;
    this.headers = answer.headers;
    this.body = body;
    this.request = { uri: { href: answer.url }, href: answer.url, method };
  }
  toJSON() { return { statusCode: this.statusCode, body: this.body, headers: this.headers }; }
}

function startRequest(o) {
  const self = new Request(o);
  const callback = o.callback;
  const fail = (e) => {
    if (callback) callback(e);
    const heard = self.emit('error', e);
    if (!callback && !heard) throw e;
  };
  // Sent a little later, so that .auth() and .form() still have a say.
  queueMicrotask(() => {
    let call;
    try {
      call = requestCall(o);
    } catch (e) {
      return fail(e);
    }
    self._cancel = send(call, (e, answer) => {
      if (e) return fail(e);
      let body = answer.body;
      if (o.json && typeof body === 'string') {
        try {
          body = JSON.parse(body);
        } catch {
          // request leaves a body that is not JSON as it is.
        }
      }
      const response = new Response(answer, body, call.method);
      if (self._handlers) {
        self.emit('response', response);
        self.emit('data', answer.body);
        self.emit('end');
        self.emit('complete', response, body);
      }
      if (callback) callback(null, response, body);
    });
  });
  return self;
}

function requestCall(o) {
  const target = o.url || o.uri;
  if (!target) throw new Error('options.uri is a required argument');
  let url = addressOf(target, 'https:');
  if (o.baseUrl) url = String(o.baseUrl).replace(/\/$/, '') + '/' + url.replace(/^\//, '');
  const headers = { ...o.headers };
  const put = (name, value) => { if (!hasHeader(headers, lower(name))) headers[name] = value; };
  let body = o.body;
  if (o.form !== undefined && o.form !== null) {
    body = typeof o.form === 'string' ? o.form : o.form instanceof URLSearchParams ? o.form.toString() : deepQuery(o.form);
    put('Content-Type', 'application/x-www-form-urlencoded');
  } else if (o.json) {
    if (body === undefined && o.json !== true) body = o.json;
    if (body !== undefined && typeof body !== 'string' && !ArrayBuffer.isView(body)) body = stringify(body);
    if (body !== undefined) put('Content-Type', 'application/json');
  } else if (isObject(body) && !ArrayBuffer.isView(body)) {
    throw new Error('Argument error, options.body.');
  }
  if (o.json) put('Accept', 'application/json');
  if (o.auth) {
    const bearer = isFunction(o.auth.bearer) ? o.auth.bearer() : o.auth.bearer;
    if (bearer !== undefined) put('Authorization', 'Bearer ' + bearer);
    else put('Authorization', basic(o.auth.user === undefined ? o.auth.username : o.auth.user, o.auth.pass === undefined ? o.auth.password : o.auth.pass));
  }
  if (o.qs) url = withQuery(url, typeof o.qs === 'string' ? o.qs : deepQuery(o.qs));
  const method = (o.method || 'GET').toUpperCase();
  if (o.oauth) put('Authorization', oauthHeader({
    method, url, form: /x-www-form-urlencoded/.test(String(headers['Content-Type'])) ? querystring.parse(body) : {},
    consumerKey: o.oauth.consumer_key, consumerSecret: o.oauth.consumer_secret, token: o.oauth.token, tokenSecret: o.oauth.token_secret,
    signatureMethod: o.oauth.signature_method, verifier: o.oauth.verifier,
  }));
  const follow = o.followAllRedirects || o.followRedirect !== false && ['GET', 'HEAD', 'OPTIONS'].includes(method);
  return {
    method, url, headers, body, timeout: o.timeout, binary: o.encoding === null,
    redirects: follow ? (o.maxRedirects === undefined ? 10 : o.maxRedirects) : 0, all: !!o.followAllRedirects,
  };
}

function requestFunction(defaults) {
  const withMethod = (method) => (target, options, callback) => {
    if (isFunction(options)) [options, callback] = [undefined, options];
    const given = typeof target === 'string' || target instanceof URL ? { url: target, ...options } : { ...target, ...options };
    const o = { ...defaults, ...given, headers: { ...defaults.headers, ...given.headers } };
    if (method) o.method = method;
    if (callback) o.callback = callback;
    return startRequest(o);
  };
  const request = withMethod('');
  for (const name of ['get', 'post', 'put', 'patch', 'head', 'options']) request[name] = withMethod(name.toUpperCase());
  request.del = request.delete = withMethod('DELETE');
  request.defaults = (more) => requestFunction({ ...defaults, ...more, headers: { ...defaults.headers, ...more.headers } });
  request.jar = () => ({ setCookie() {}, getCookieString: () => '' });
  request.request = request;
  return request;
}

const request = requestFunction({});
global('request', request);

// axios

class AxiosError extends Error {
  constructor(message, code, config, response) {
    super(message);
    this.name = 'AxiosError';
    Object.assign(this, { code, config, response, request: {}, isAxiosError: true, status: response && response.status });
  }
  toJSON() { return { message: this.message, name: this.name, code: this.code, status: this.status }; }
}

function axiosSend(config) {
  return new Promise((resolve, reject) => {
    const headers = {};
    const common = config.headers || {};
    for (const name of Object.keys(common)) {
      if (['common', 'get', 'post', 'put', 'patch', 'delete', 'head'].includes(name)) Object.assign(headers, name === 'common' || name === lower(config.method || 'get') ? common[name] : {});
      else headers[name] = common[name];
    }
    const put = (name, value) => { if (!hasHeader(headers, lower(name))) headers[name] = value; };
    put('Accept', 'application/json, text/plain, */*');
    let body = config.data;
    if (body instanceof URLSearchParams) {
      body = body.toString();
      put('Content-Type', 'application/x-www-form-urlencoded;charset=utf-8');
    } else if (isObject(body) && !ArrayBuffer.isView(body) && !(body instanceof ArrayBuffer)) {
      const type = Object.keys(headers).find((k) => lower(k) === 'content-type');
      if (type && /x-www-form-urlencoded/.test(headers[type])) body = deepQuery(body);
      else {
        body = stringify(body);
        put('Content-Type', 'application/json');
      }
    } else if (body !== undefined && body !== null) put('Content-Type', 'application/x-www-form-urlencoded');
    if (config.auth) headers.Authorization = basic(config.auth.username, config.auth.password);
    let url = addressOf(config.url || '', 'https:');
    if (config.baseURL && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) url = String(config.baseURL).replace(/\/+$/, '') + (url ? '/' + url.replace(/^\/+/, '') : '');
    if (config.params) {
      const serialize = isFunction(config.paramsSerializer) ? config.paramsSerializer : config.paramsSerializer && config.paramsSerializer.serialize;
      const keep = isObject(config.params) && !(config.params instanceof URLSearchParams) ? Object.fromEntries(Object.entries(config.params).filter(([, v]) => v !== null && v !== undefined)) : config.params;
      url = withQuery(url, serialize ? serialize(config.params) : keep instanceof URLSearchParams ? keep.toString() : deepQuery(keep, 'axios'));
    }
    send({
      method: config.method, url, headers, body, timeout: config.timeout, all: true,
      redirects: config.maxRedirects === undefined ? 5 : config.maxRedirects, binary: config.responseType === 'arraybuffer',
    }, (e, answer) => {
      if (e) return reject(new AxiosError(e.message, e.code, config));
      let data = answer.body;
      if (typeof data === 'string' && data && config.responseType !== 'text') {
        try {
          data = JSON.parse(data);
        } catch {
          // axios leaves a body that is not JSON as it is.
        }
      }
      for (const f of [].concat(config.transformResponse || [])) data = f(data, answer.headers);
      const response = { data, status: answer.statusCode, statusText: answer.statusMessage, headers: answer.headers, config, request: { responseURL: answer.url } };
      const valid = config.validateStatus === undefined ? (s) => s >= 200 && s < 300 : config.validateStatus;
      if (!valid || valid(response.status)) return resolve(response);
      reject(new AxiosError('Request failed with status code ' + response.status, response.status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE', config, response));
    });
  });
}

function axiosInstance(defaults) {
  const chain = { request: [], response: [] };
  const user = (list) => ({ use(ok, bad) { list.push([ok, bad]); return list.length - 1; }, eject(i) { list[i] = []; } });
  const call = (config) => {
    const merged = { ...instance.defaults, ...config, headers: { ...instance.defaults.headers, ...config.headers } };
    let p = Promise.resolve(merged);
    for (const [ok, bad] of chain.request) p = p.then(ok, bad);
    p = p.then(axiosSend);
    for (const [ok, bad] of chain.response) p = p.then(ok, bad);
    return p;
  };
  const instance = (url, config) => call(typeof url === 'string' ? { ...config, url } : { ...url });
  instance.defaults = { ...defaults, headers: { common: {}, ...defaults.headers } };
  instance.interceptors = { request: user(chain.request), response: user(chain.response) };
  instance.request = instance;
  for (const method of ['get', 'delete', 'head', 'options']) instance[method] = (url, config) => call({ ...config, method, url });
  for (const method of ['post', 'put', 'patch']) instance[method] = (url, data, config) => call({ ...config, method, url, data });
  instance.create = (config) => axiosInstance({ ...instance.defaults, ...config, headers: { ...instance.defaults.headers, ...(config && config.headers) } });
  instance.all = (list) => Promise.all(list);
  instance.spread = (f) => (list) => f(...list);
  instance.isAxiosError = (e) => isObject(e) && e.isAxiosError === true;
  instance.AxiosError = AxiosError;
  instance.default = instance;
  return instance;
}

const axios = axiosInstance({});

// https and http

class ClientRequest extends EventEmitter {
  constructor(options, protocol, callback) {
    super();
    this._options = options;
    this._protocol = protocol;
    this._headers = { ...options.headers };
    this._parts = [];
    if (callback) this.once('response', callback);
  }
  setHeader(name, value) { this._headers[name] = value; return this; }
  getHeader(name) { return this._headers[Object.keys(this._headers).find((k) => lower(k) === lower(name))]; }
  removeHeader(name) { delete this._headers[name]; }
  setTimeout(ms, f) { this._timeout = ms; if (f) this.on('timeout', f); return this; }
  setNoDelay() { return this; }
  setSocketKeepAlive() { return this; }
  write(part, encoding) { this._parts.push(typeof part === 'string' ? Buffer.from(part, isFunction(encoding) ? undefined : encoding) : part); return true; }
  abort() { this.destroy(); }
  destroy(e) { if (this._cancel) this._cancel(); if (e) this.emit('error', e); return this; }
  end(part, encoding) {
    if (part !== undefined && !isFunction(part)) this.write(part, encoding);
    const o = this._options;
    if (o.auth && !hasHeader(this._headers, 'authorization')) this._headers.Authorization = basic(...String(o.auth).split(/:(.*)/s));
    const fail = (e) => {
      if (e.code === 'ETIMEDOUT') this.emit('timeout');
      if (!this.emit('error', e)) throw e;
    };
    let url;
    try {
      url = addressOf(o, this._protocol);
    } catch (e) {
      return fail(e);
    }
    this._cancel = send({
      method: o.method, url, headers: this._headers, timeout: this._timeout || o.timeout, binary: true,
      body: this._parts.length ? Buffer.concat(this._parts) : undefined,
    }, (e, answer) => {
      if (e) return fail(e);
      const body = answer.body;
      const res = Object.assign(new EventEmitter(), { statusCode: answer.statusCode, statusMessage: answer.statusMessage, headers: answer.headers, complete: true });
      let encoding = null;
      const chunk = () => (encoding ? body.toString(encoding) : body);
      res.setEncoding = (name) => { encoding = name || 'utf8'; return res; };
      res.resume = () => res;
      res.pipe = (to) => { to.write(chunk()); to.end(); return to; };
      res[Symbol.asyncIterator] = async function* () { yield chunk(); };
      if (!this.emit('response', res)) return;
      // A script may add its handlers in the turn after the response.
      startTimer(() => {
        if (body.length) res.emit('data', chunk());
        res.emit('end');
        res.emit('close');
      }, 0, [], false);
    });
    return this;
  }
}

function nodeHTTP(protocol) {
  const start = (target, options, callback) => {
    if (isFunction(options)) [options, callback] = [undefined, options];
    const o = typeof target === 'string' || target instanceof URL ? { href: addressOf(target), ...options } : { ...target, ...options };
    return new ClientRequest(o, protocol, callback);
  };
  class Agent {}
  return { request: start, get: (...args) => start(...args).end(), Agent, globalAgent: new Agent() };
}

const https = nodeHTTP('https:');
const http = nodeHTTP('http:');

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
    let body = o.body;
    if (body instanceof URLSearchParams) {
      body = body.toString();
      if (!headers.has('content-type')) headers.set('content-type', 'application/x-www-form-urlencoded;charset=UTF-8');
    }
    send({ method: o.method, url: addressOf(target), headers: headers._map, body, redirects: o.redirect === 'manual' || o.redirect === 'error' ? 0 : 20, all: true, binary: true }, (e, answer) => {
      if (e) return reject(Object.assign(new TypeError('fetch failed: ' + e.message), { cause: e }));
      const { statusCode: status, body: bytes } = answer;
      if (o.redirect === 'error' && [301, 302, 303, 307, 308].includes(status)) return reject(new TypeError('fetch failed: unexpected redirect'));
      resolve({
        status, statusText: answer.statusMessage, ok: status >= 200 && status < 300, url: answer.url, headers: new Headers(answer.headers),
        text: async () => bytes.toString(), json: async () => JSON.parse(bytes.toString()), arrayBuffer: async () => bytesOf(bytes),
      });
    });
  });
}
global('fetch', fetch);
global('Headers', Headers);
