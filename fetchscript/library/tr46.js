// In the place of tr46: what the WHATWG wants of domain names, by Go's tables.
exports.toASCII = (domain) => (/^[\0-\x7f]*$/.test(domain) && !/xn--/i.test(domain) ? domain.toLowerCase() : domainToASCII(domain));
