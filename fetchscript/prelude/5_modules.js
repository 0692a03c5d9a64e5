// The smaller modules, and require.

// OAuth 1.0a (RFC 5849)

function oauthHeader(o) {
  const method = o.signatureMethod || 'HMAC-SHA1';
  const [base, search] = o.url.split('#')[0].split(/\?(.*)/s);
  const own = {
    oauth_consumer_key: o.consumerKey, oauth_nonce: crypto.randomBytes(16).toString('hex'), oauth_signature_method: method,
    oauth_timestamp: String(Math.floor(Date.now() / 1000)), oauth_version: '1.0',
  };
  if (o.token) own.oauth_token = o.token;
  if (o.verifier) own.oauth_verifier = o.verifier;
  const pairs = [];
  const add = (all) => { for (const k of Object.keys(all)) for (const v of [].concat(all[k])) pairs.push([component(k), component(v)]); };
  add(own);
  add(querystring.parse(search));
  add(o.form || {});
  pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  const text = [o.method.toUpperCase(), component(new URL(base).href), component(pairs.map((p) => p.join('=')).join('&'))].join('&');
  const key = component(o.consumerSecret || '') + '&' + component(o.tokenSecret || '');
  if (method === 'PLAINTEXT') own.oauth_signature = key;
  else if (method === 'HMAC-SHA1' || method === 'HMAC-SHA256') own.oauth_signature = crypto.createHmac(lower(method.slice(5)), key).update(text).digest('base64');
  else if (method === 'RSA-SHA1') own.oauth_signature = Buffer.from(host('rsaSHA1', text, asBytes(o.consumerSecret))).toString('base64');
  else throw new Error('unknown OAuth signature method ' + method);
  return 'OAuth ' + Object.keys(own).sort().map((k) => component(k) + '="' + component(own[k]) + '"').join(',');
}

class OAuth {
  constructor(requestURL, accessURL, consumerKey, consumerSecret, version, callbackURL, signatureMethod) {
    Object.assign(this, { _consumerKey: consumerKey, _consumerSecret: consumerSecret, _signatureMethod: signatureMethod });
  }
  _send(method, url, token, tokenSecret, body, type, callback) {
    const form = isObject(body) && !ArrayBuffer.isView(body);
    const headers = {
      Authorization: oauthHeader({
        method, url, form: form ? body : {}, token, tokenSecret,
        consumerKey: this._consumerKey, consumerSecret: this._consumerSecret, signatureMethod: this._signatureMethod,
      }),
    };
    if (body !== undefined && body !== null && body !== '') headers['Content-Type'] = form ? 'application/x-www-form-urlencoded' : type || 'application/x-www-form-urlencoded';
    send({ method, url, headers, body: form ? querystring.stringify(body) : body, redirects: method === 'GET' ? 5 : 0 }, (e, answer) => {
      if (!e && (answer.statusCode < 200 || answer.statusCode > 299)) e = { statusCode: answer.statusCode, data: answer.body };
      if (e && !isError(e)) return callback(e, e.data, answer);
      if (e) return callback(e);
      callback(null, answer.body, answer);
    });
  }
  get(url, token, secret, callback) { return this._send('GET', url, token, secret, undefined, undefined, callback); }
  delete(url, token, secret, callback) { return this._send('DELETE', url, token, secret, undefined, undefined, callback); }
  post(url, token, secret, body, type, callback) {
    if (isFunction(type)) [type, callback] = [undefined, type];
    return this._send('POST', url, token, secret, body, type, callback);
  }
  put(url, token, secret, body, type, callback) {
    if (isFunction(type)) [type, callback] = [undefined, type];
    return this._send('PUT', url, token, secret, body, type, callback);
  }
  getProtectedResource(url, method, token, secret, callback) { return this._send(method, url, token, secret, undefined, undefined, callback); }
  signUrl(url, token, secret, method) {
    return withQuery(url, this.authHeader(url, token, secret, method).slice(6).split(',').map((p) => p.replace(/="(.*)"$/, '=$1')).join('&'));
  }
  authHeader(url, token, secret, method) {
    return oauthHeader({ method: method || 'GET', url, token, tokenSecret: secret, consumerKey: this._consumerKey, consumerSecret: this._consumerSecret, signatureMethod: this._signatureMethod });
  }
}

class OAuth2 {
  constructor(clientID, clientSecret, site) {
    this._header = false;
    this._site = site;
  }
  useAuthorizationHeaderforGET(on) { this._header = on; }
  get(url, token, callback) {
    const headers = this._header ? { Authorization: 'Bearer ' + token } : {};
    send({ url: this._header ? url : withQuery(url, 'access_token=' + component(token)), headers, redirects: 5 }, (e, answer) => {
      if (!e && (answer.statusCode < 200 || answer.statusCode > 299)) return callback({ statusCode: answer.statusCode, data: answer.body });
      if (e) return callback(e);
      callback(null, answer.body, answer);
    });
  }
}

// xml2js. The host reads the XML; the shape is made here.

const xmlDefaults = { attrkey: '$', charkey: '_', explicitArray: true, explicitRoot: true, explicitCharkey: false, mergeAttrs: false, ignoreAttrs: false, trim: false, normalize: false, normalizeTags: false, emptyTag: '', tagNameProcessors: [], attrNameProcessors: [], valueProcessors: [], attrValueProcessors: [] };

function xmlShape(node, o) {
  const through = (list, v, name) => (list || []).reduce((x, f) => f(x, name), v);
  const put = (out, name, v, always) => {
    if (Object.hasOwn(out, name)) out[name] = [].concat(out[name], v);
    else Object.defineProperty(out, name, { value: always ? [v] : v, writable: true, configurable: true, enumerable: true });
  };
  const out = {};
  if (!o.ignoreAttrs && node.attributes.length) {
    const attributes = o.mergeAttrs ? out : out[o.attrkey] = {};
    for (const [k, v] of node.attributes) put(attributes, through(o.attrNameProcessors, k), through(o.attrValueProcessors, v, k), o.mergeAttrs && o.explicitArray);
  }
  let text = node.text;
  if (o.trim) text = text.trim();
  if (o.normalize) text = text.replace(/\s+/g, ' ').trim();
  for (const child of node.children) put(out, tagName(child, o), xmlShape(child, o), o.explicitArray);
  const bare = Object.keys(out).length === 0;
  if (/\S/.test(text)) {
    text = through(o.valueProcessors, text, node.name);
    if (bare && !o.explicitCharkey) return text;
    out[o.charkey] = text;
    return out;
  }
  return bare ? o.emptyTag : out;
}

const tagName = (node, o) => (o.tagNameProcessors || []).reduce((x, f) => f(x), o.normalizeTags ? lower(node.name) : node.name);

class XMLParser {
  constructor(options) { this.options = { ...xmlDefaults, ...options }; }
  parseString(text, callback) {
    let result;
    try {
      const root = parseJSON(host('xml', String(text)));
      result = xmlShape(root, this.options);
      if (this.options.explicitRoot) result = { [tagName(root, this.options)]: result };
    } catch (e) {
      return void callback(e);
    }
    callback(null, result);
  }
  parseStringPromise(text) { return new Promise((resolve, reject) => this.parseString(text, (e, r) => (e ? reject(e) : resolve(r)))); }
}

const xml2js = {
  Parser: XMLParser,
  parseString(text, options, callback) {
    if (isFunction(options)) [options, callback] = [{}, options];
    new XMLParser(options).parseString(text, callback);
  },
  parseStringPromise: (text, options) => new XMLParser(options).parseStringPromise(text),
  processors: {
    stripPrefix: (name) => name.replace(/^(?!xmlns)[^:]*:/, ''), normalize: lower,
    firstCharLowerCase: (name) => name.charAt(0).toLowerCase() + name.slice(1),
    parseNumbers: (v) => (v !== '' && !isNaN(v) ? Number(v) : v), parseBooleans: (v) => (/^(true|false)$/i.test(v) ? lower(v) === 'true' : v),
  },
};

const util = {
  promisify: (f) => function (...args) {
    return new Promise((resolve, reject) => f.call(this, ...args, (e, v) => (e ? reject(e) : resolve(v))));
  },
  callbackify: (f) => (...args) => { const done = args.pop(); f(...args).then((v) => done(null, v), done); },
  inspect,
  format: (text, ...args) => {
    const rest = args.slice();
    const out = typeof text !== 'string' ? inspect(text) : text.replace(/%[sdijoO%]/g, (m) => (m === '%%' ? '%' : rest.length ? (m === '%d' || m === '%i' ? String(Number(rest.shift())) : inspect(rest.shift())) : m));
    return [out, ...rest.map(inspect)].join(' ');
  },
  inherits: (child, parent) => Object.setPrototypeOf(child.prototype, parent.prototype),
  isArray: Array.isArray,
  isDeepStrictEqual: (a, b) => stringify(a) === stringify(b),
  types: {},
  TextEncoder: globalThis.TextEncoder,
  TextDecoder: globalThis.TextDecoder,
};

let lodash; // loaded where the script speaks of it

const modules = Object.assign(Object.create(null), {
  'axios': () => axios,
  'buffer': () => ({ Buffer: BufferGlobal }),
  'crypto': () => crypto,
  'events': () => EventEmitter,
  'http': () => http,
  'https': () => https,
  'jsonwebtoken': () => jsonwebtoken,
  'jwt-decode': () => jwtDecode,
  'lodash': () => lodash,
  'oauth': () => ({ OAuth, OAuth2 }),
  'querystring': () => querystring,
  'request': () => request,
  'url': () => urlModule,
  'util': () => util,
  'xml2js': () => xml2js,
});

// A version behind the name is the vendor's idiom; here each module has one.
function require(name) {
  const bare = String(name).replace(/^node:/, '').replace(/(.)@[^/]*$/, '$1');
  if (!(bare in modules)) throw new Error('module "' + name + '" is not available; available are ' + Object.keys(modules).join(', '));
  return modules[bare]();
}
