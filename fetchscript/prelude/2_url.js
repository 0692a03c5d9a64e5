// URL, URLSearchParams, querystring and url.

const component = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
const plain = (v) => (typeof v === 'string' ? v : v === null || v === undefined || isObject(v) ? '' : String(v));

function unescapeForm(s) {
  s = s.replace(/\+/g, ' ');
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

const querystring = {
  escape: component,
  unescape: unescapeForm,
  stringify(o, separator, equals) {
    if (!isObject(o)) return '';
    const eq = equals || '=';
    return Object.keys(o).flatMap((k) => (Array.isArray(o[k]) ? o[k] : [o[k]]).map((v) => component(k) + eq + component(plain(v)))).join(separator || '&');
  },
  parse(text, separator, equals) {
    const out = Object.create(null);
    for (const pair of String(text || '').split(separator || '&')) {
      if (!pair) continue;
      const at = pair.indexOf(equals || '=');
      const name = unescapeForm(at < 0 ? pair : pair.slice(0, at));
      const value = at < 0 ? '' : unescapeForm(pair.slice(at + 1));
      out[name] = name in out ? [].concat(out[name], value) : value;
    }
    return out;
  },
};
querystring.encode = querystring.stringify;
querystring.decode = querystring.parse;

// What request and axios make of objects: a[b]=1&c[0]=2, or c[]=2.
function deepQuery(o, arrays) {
  const out = [];
  const walk = (name, v) => {
    if (v === undefined) return;
    if (v instanceof Date) out.push([name, v.toISOString()]);
    else if (Array.isArray(v)) v.forEach((x, i) => walk(name + (arrays === 'axios' && !isObject(x) ? '[]' : '[' + i + ']'), x));
    else if (isObject(v)) for (const k of Object.keys(v)) walk(name + '[' + k + ']', v[k]);
    else out.push([name, v === null ? '' : String(v)]);
  };
  for (const k of Object.keys(o)) walk(k, o[k]);
  return out.map(([k, v]) => component(k) + '=' + component(v)).join('&');
}

class URLSearchParams {
  constructor(init) {
    this._pairs = [];
    this._changed = null;
    if (init === undefined || init === null) return;
    if (init instanceof URLSearchParams) this._pairs = init._pairs.map((p) => p.slice());
    else if (isObject(init) && isFunction(init[Symbol.iterator])) for (const [k, v] of init) this._pairs.push([String(k), String(v)]);
    else if (isObject(init)) for (const k of Object.keys(init)) this._pairs.push([k, String(init[k])]);
    else {
      for (const pair of String(init).replace(/^\?/, '').split('&')) {
        if (!pair) continue;
        const at = pair.indexOf('=');
        this._pairs.push([unescapeForm(at < 0 ? pair : pair.slice(0, at)), at < 0 ? '' : unescapeForm(pair.slice(at + 1))]);
      }
    }
  }
  _done() { if (this._changed) this._changed(); }
  append(k, v) { this._pairs.push([String(k), String(v)]); this._done(); }
  delete(k) { this._pairs = this._pairs.filter((p) => p[0] !== String(k)); this._done(); }
  get(k) { const p = this._pairs.find((q) => q[0] === String(k)); return p ? p[1] : null; }
  getAll(k) { return this._pairs.filter((p) => p[0] === String(k)).map((p) => p[1]); }
  has(k) { return this._pairs.some((p) => p[0] === String(k)); }
  set(k, v) {
    const at = this._pairs.findIndex((p) => p[0] === String(k));
    if (at < 0) return this.append(k, v);
    this._pairs = this._pairs.filter((p, i) => i <= at || p[0] !== String(k));
    this._pairs[at][1] = String(v);
    this._done();
  }
  sort() { this._pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); this._done(); }
  forEach(f) { for (const [k, v] of this._pairs) f(v, k, this); }
  get size() { return this._pairs.length; }
  keys() { return this._pairs.map((p) => p[0]).values(); }
  values() { return this._pairs.map((p) => p[1]).values(); }
  entries() { return this._pairs.map((p) => p.slice()).values(); }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this._pairs.map(([k, v]) => formComponent(k) + '=' + formComponent(v)).join('&'); }
}

const formComponent = (s) => encodeURIComponent(s).replace(/[!'()~]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase()).replace(/%20/g, '+');

class URL {
  constructor(input, base) {
    try {
      Object.assign(this, parseJSON(host('url', String(input), base === undefined ? '' : String(base))));
    } catch {
      throw new TypeError('Invalid URL');
    }
    const params = new URLSearchParams(this.search);
    params._changed = () => { const q = params.toString(); this.search = q ? '?' + q : ''; };
    Object.defineProperty(this, 'searchParams', { value: params, enumerable: true });
  }
  get host() { return this.hostname + (this.port ? ':' + this.port : ''); }
  set host(v) { const [name, port] = String(v).split(':'); this.hostname = name; this.port = port || ''; }
  get origin() { return this.protocol + '//' + this.host; }
  get href() {
    const user = this.username ? this.username + (this.password ? ':' + this.password : '') + '@' : '';
    return this.protocol + '//' + user + this.host + this.pathname + this.search + this.hash;
  }
  set href(v) { Object.assign(this, new URL(v)); }
  toString() { return this.href; }
  toJSON() { return this.href; }
  static canParse(input, base) { try { return !!new URL(input, base); } catch { return false; } }
}

const urlModule = {
  URL,
  URLSearchParams,
  parse(text, query) {
    const u = new URL(text);
    const search = u.search || null;
    return {
      protocol: u.protocol, slashes: true, auth: u.username ? unescapeForm(u.username) + (u.password ? ':' + unescapeForm(u.password) : '') : null,
      host: u.host, hostname: u.hostname, port: u.port || null, pathname: u.pathname, path: u.pathname + (search || ''),
      search, query: query ? querystring.parse(u.search.slice(1)) : search && search.slice(1), hash: u.hash || null, href: u.href,
    };
  },
  format(o) {
    if (typeof o === 'string' || o instanceof URL) return String(o);
    const query = o.search || (isObject(o.query) ? querystring.stringify(o.query) : o.query) || '';
    const hostname = o.host || o.hostname + (o.port ? ':' + o.port : '');
    const path = o.pathname || '';
    return (o.protocol || 'https:').replace(/:?$/, ':') + '//' + (o.auth ? o.auth + '@' : '') + hostname +
      (path && !path.startsWith('/') ? '/' : '') + path + (query && !query.startsWith('?') ? '?' : '') + query + (o.hash || '');
  },
  resolve: (from, to) => new URL(to, from).href,
};

global('URL', URL);
global('URLSearchParams', URLSearchParams);
