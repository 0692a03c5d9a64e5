// crypto: the host does the arithmetic.

const isBytes = (v) => v instanceof ArrayBuffer || ArrayBuffer.isView(v);

// Bytes of a text, of a view, or of a secret key.
function asBytes(v, encoding) {
  if (v instanceof KeyObject) return asBytes(v._material);
  if (isBytes(v)) return bytesOf(v);
  if (typeof v !== 'string') throw Object.assign(new TypeError('The argument must be of type string or an instance of Buffer, TypedArray, or DataView.'), { code: 'ERR_INVALID_ARG_TYPE' });
  return bytesOf(bufferModule().Buffer.from(v, encoding));
}

const output = (bytes, encoding) => { const b = bufferModule().Buffer.from(bytes); return encoding && encoding !== 'buffer' ? b.toString(encoding) : b; };

class KeyObject {
  constructor(type, material, details = {}) { Object.assign(this, { type, ...details }); Object.defineProperty(this, '_material', { value: material }); }
  export() { return typeof this._material === 'string' ? this._material : bufferModule().Buffer.from(this._material); }
}

// A key as callers have it: PEM, bytes of PEM, { key, padding, ... } or a KeyObject.
const materialOf = (key) => (key instanceof KeyObject ? key._material : isObject(key) && !isBytes(key) ? materialOf(key.key) : encode(asBytes(key), 'utf8'));

function keyOf(type, key) {
  const material = materialOf(key);
  return new KeyObject(type, material, parseJSON(host('key', type, material)));
}

class Digest {
  constructor(algorithm, key) {
    this._algorithm = lower(algorithm).replace('-', '');
    this._key = key;
    this._parts = [];
    host('hash', this._algorithm, new ArrayBuffer(0)); // an unknown name fails here, as with Node
  }
  update(data, encoding) { this._parts.push(bufferModule().Buffer.from(asBytes(data, encoding))); return this; }
  write(data, encoding) { return this.update(data, encoding); }
  end(data, encoding) { if (data !== undefined) this.update(data, encoding); return this; }
  _data() { return bytesOf(bufferModule().Buffer.concat(this._parts)); }
  digest(encoding) { return output(this._key === undefined ? host('hash', this._algorithm, this._data()) : host('hmac', this._algorithm, this._key, this._data()), encoding); }
}

const RSA_PKCS1_PSS_PADDING = 6;
const paddingOf = (key) => (isObject(key) && key.padding === RSA_PKCS1_PSS_PADDING ? 'pss' : '');

class Signature extends Digest {
  constructor(algorithm) { super(lower(algorithm).replace(/^(rsa|ecdsa)-|withrsaencryption$/g, '')); }
  sign(key, encoding) { return output(host('sign', this._algorithm, paddingOf(key), materialOf(key), this._data()), encoding); }
  verify(key, signature, encoding) { return host('verify', this._algorithm, paddingOf(key), materialOf(key), this._data(), asBytes(signature, encoding)) === 'true'; }
}

const cryptoModule = {
  KeyObject,
  constants: { RSA_PKCS1_PADDING: 1, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST: -1 },
  createHash: (algorithm) => new Digest(algorithm),
  createHmac: (algorithm, key) => new Digest(algorithm, asBytes(key)),
  createSign: (algorithm) => new Signature(algorithm),
  createVerify: (algorithm) => new Signature(algorithm),
  createSecretKey: (key, encoding) => new KeyObject('secret', asBytes(key, encoding)),
  createPrivateKey: (key) => keyOf('private', key),
  createPublicKey: (key) => keyOf('public', key),
  randomBytes(n, callback) {
    const b = bufferModule().Buffer.from(host('randomBytes', String(n)));
    if (!callback) return b;
    startTimer(callback, 0, [null, b], false);
  },
  randomUUID() {
    const b = new Uint8Array(host('randomBytes', '16'));
    b[6] = b[6] & 15 | 64;
    b[8] = b[8] & 63 | 128;
    return encode(b, 'hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  },
  timingSafeEqual(a, b) {
    if (a.byteLength !== b.byteLength) throw Object.assign(new RangeError('Input buffers must have the same byte length'), { code: 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH' });
    return host('equal', asBytes(a), asBytes(b)) === 'true';
  },
  getHashes: () => ['md5', 'sha1', 'sha256', 'sha384', 'sha512'],
};
