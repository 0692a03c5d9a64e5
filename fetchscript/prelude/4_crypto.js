// crypto, jsonwebtoken and jwt-decode: the host does the arithmetic.

const asBytes = (v, encoding) => (typeof v === 'string' ? decode(v, encoding) : v instanceof ArrayBuffer || ArrayBuffer.isView(v) ? bytesOf(v) : decode(String(v)));

class Digest {
  constructor(algorithm, key) {
    this._algorithm = lower(algorithm).replace('-', '');
    this._key = key;
    this._parts = [];
    host('hash', this._algorithm, new ArrayBuffer(0)); // an unknown name fails here, as with Node
  }
  update(data, encoding) { this._parts.push(new Uint8Array(asBytes(data, encoding))); return this; }
  digest(encoding) {
    const data = bytesOf(Buffer.concat(this._parts));
    const sum = new Buffer(this._key === undefined ? host('hash', this._algorithm, data) : host('hmac', this._algorithm, this._key, data));
    return encoding ? sum.toString(encoding) : sum;
  }
}

const crypto = {
  createHash: (algorithm) => new Digest(algorithm),
  createHmac: (algorithm, key) => new Digest(algorithm, asBytes(key)),
  randomBytes(n, callback) {
    const b = new Buffer(host('randomBytes', String(n)));
    if (!callback) return b;
    startTimer(callback, 0, [null, b], false);
  },
  randomUUID() {
    const b = crypto.randomBytes(16);
    b[6] = b[6] & 15 | 64;
    b[8] = b[8] & 63 | 128;
    return b.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
  timingSafeEqual(a, b) {
    if (a.byteLength !== b.byteLength) throw new RangeError('Input buffers must have the same byte length');
    return host('equal', asBytes(a), asBytes(b)) === 'true';
  },
  getHashes: () => ['md5', 'sha1', 'sha256', 'sha384', 'sha512'],
};

// jsonwebtoken

class JsonWebTokenError extends Error {
  constructor(message) { super(message); this.name = 'JsonWebTokenError'; }
}
class TokenExpiredError extends JsonWebTokenError {
  constructor(message, expiredAt) { super(message); this.name = 'TokenExpiredError'; this.expiredAt = expiredAt; }
}
class NotBeforeError extends JsonWebTokenError {
  constructor(message, date) { super(message); this.name = 'NotBeforeError'; this.date = date; }
}

const part = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());

function decodeToken(token, options) {
  const parts = String(token).split('.');
  if (parts.length !== 3) return null;
  let header, payload;
  try {
    header = part(parts[0]);
    payload = Buffer.from(parts[1], 'base64url').toString();
    try { payload = JSON.parse(payload); } catch { /* a payload may be any text */ }
  } catch {
    return null;
  }
  return options && options.complete ? { header, payload, signature: parts[2] } : payload;
}

const units = { ms: 0.001, s: 1, sec: 1, second: 1, m: 60, min: 60, minute: 60, h: 3600, hr: 3600, hour: 3600, d: 86400, day: 86400, w: 604800, week: 604800, y: 31557600, year: 31557600 };

function seconds(v, name) {
  if (typeof v === 'number') return v;
  const m = /^(-?[\d.]+)\s*([a-z]*)$/i.exec(String(v).trim());
  const unit = m && (m[2] === '' ? 0.001 : units[lower(m[2])] || units[lower(m[2]).replace(/s$/, '')]);
  if (!unit) throw new JsonWebTokenError('"' + name + '" should be a number of seconds or string representing a timespan');
  return Math.floor(Number(m[1]) * unit);
}

function settle(callback, work) {
  if (!isFunction(callback)) return work();
  let value;
  try {
    value = work();
  } catch (e) {
    return void startTimer(callback, 0, [e], false);
  }
  startTimer(callback, 0, [null, value], false);
}

const secretOf = (key) => (isObject(key) && key.key !== undefined ? key.key : key);

const jsonwebtoken = {
  decode: decodeToken,
  sign(payload, key, options, callback) {
    if (isFunction(options)) [options, callback] = [{}, options];
    const o = options || {};
    return settle(callback, () => {
      const algorithm = o.algorithm || 'HS256';
      const header = { alg: algorithm, typ: 'JWT', ...(o.keyid ? { kid: o.keyid } : {}), ...o.header };
      let body = payload;
      if (isObject(payload)) {
        body = { ...payload };
        const now = body.iat || Math.floor(Date.now() / 1000);
        if (o.noTimestamp) delete body.iat;
        else body.iat = now;
        if (o.notBefore !== undefined) body.nbf = now + seconds(o.notBefore, 'notBefore');
        if (o.expiresIn !== undefined) body.exp = now + seconds(o.expiresIn, 'expiresIn');
        if (o.expiresInMinutes !== undefined) body.exp = now + o.expiresInMinutes * 60;
        for (const [claim, option] of [['aud', 'audience'], ['iss', 'issuer'], ['sub', 'subject'], ['jti', 'jwtid']]) if (o[option] !== undefined) body[claim] = o[option];
        body = stringify(body);
      }
      const input = Buffer.from(stringify(header)).toString('base64url') + '.' + Buffer.from(String(body)).toString('base64url');
      try {
        return input + '.' + host('jwtSign', algorithm, input, asBytes(secretOf(key)));
      } catch (e) {
        throw new JsonWebTokenError(e.message);
      }
    });
  },
  verify(token, key, options, callback) {
    if (isFunction(options)) [options, callback] = [{}, options];
    const o = options || {};
    return settle(callback, () => {
      const whole = decodeToken(token, { complete: true });
      if (!whole) throw new JsonWebTokenError(token ? 'jwt malformed' : 'jwt must be provided');
      if (isFunction(key)) throw new JsonWebTokenError('a function for the key is not supported here');
      // The key says which family of algorithms it is for: a public key is no HMAC secret.
      const public_ = /-----BEGIN/.test(typeof key === 'string' ? key : isObject(key) ? Buffer.from(asBytes(secretOf(key))).toString('latin1') : '');
      const allowed = o.algorithms || (public_ ? ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] : ['HS256', 'HS384', 'HS512']);
      const algorithm = whole.header.alg;
      if (!allowed.includes(algorithm) || algorithm === 'none' || public_ && /^HS/.test(algorithm)) throw new JsonWebTokenError('invalid algorithm');
      const parts = token.split('.');
      let good = false;
      try {
        good = host('jwtVerify', algorithm, parts[0] + '.' + parts[1], parts[2], asBytes(secretOf(key))) === 'true';
      } catch (e) {
        throw new JsonWebTokenError(e.message);
      }
      if (!good) throw new JsonWebTokenError('invalid signature');
      const p = whole.payload;
      const now = o.clockTimestamp || Math.floor(Date.now() / 1000);
      const slack = o.clockTolerance || 0;
      if (isObject(p)) {
        if (p.nbf !== undefined && !o.ignoreNotBefore) {
          if (typeof p.nbf !== 'number') throw new JsonWebTokenError('invalid nbf value');
          if (p.nbf > now + slack) throw new NotBeforeError('jwt not active', new Date(p.nbf * 1000));
        }
        if (p.exp !== undefined && !o.ignoreExpiration) {
          if (typeof p.exp !== 'number') throw new JsonWebTokenError('invalid exp value');
          if (now >= p.exp + slack) throw new TokenExpiredError('jwt expired', new Date(p.exp * 1000));
        }
        const any = (want, have) => [].concat(want).some((w) => [].concat(have).some((h) => (w instanceof RegExp ? w.test(h) : w === h)));
        for (const [claim, option] of [['aud', 'audience'], ['iss', 'issuer'], ['sub', 'subject'], ['jti', 'jwtid'], ['nonce', 'nonce']]) {
          if (o[option] !== undefined && (p[claim] === undefined || !any(o[option], p[claim]))) throw new JsonWebTokenError('jwt ' + option + ' invalid');
        }
        if (o.maxAge !== undefined && !(typeof p.iat === 'number' && now < p.iat + seconds(o.maxAge, 'maxAge') + slack)) throw new TokenExpiredError('maxAge exceeded', new Date());
      }
      return o.complete ? whole : p;
    });
  },
  JsonWebTokenError,
  TokenExpiredError,
  NotBeforeError,
};
global('jwt', jsonwebtoken);

class InvalidTokenError extends Error {
  constructor(message) { super(message); this.name = 'InvalidTokenError'; }
}

function jwtDecode(token, options) {
  if (typeof token !== 'string') throw new InvalidTokenError('Invalid token specified: must be a string');
  const text = token.split('.')[options && options.header === true ? 0 : 1];
  if (typeof text !== 'string') throw new InvalidTokenError('Invalid token specified: a part is missing');
  try {
    return part(text);
  } catch (e) {
    throw new InvalidTokenError('Invalid token specified: ' + e.message);
  }
}
jwtDecode.default = jwtDecode;
jwtDecode.jwtDecode = jwtDecode;
jwtDecode.InvalidTokenError = InvalidTokenError;
