/// What Swift cannot see of OpenSSL 3: function-like macros and 64-bit option constants, one inline function each.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/prctl.h>

// Keys and memory

static inline void *shim_secure_malloc(size_t count) { return OPENSSL_secure_malloc(count); }
static inline void shim_secure_clear_free(void *p, size_t count) { OPENSSL_secure_clear_free(p, count); }
static inline void *shim_malloc(size_t count) { return OPENSSL_malloc(count); }
static inline void shim_clear_free(void *p, size_t count) { OPENSSL_clear_free(p, count); }

/// The SHA-256 digest of `count` bytes, with a context that the thread keeps: making one costs more than hashing a short message.
/// `sha256` is the fetched algorithm. Returns 1 on success.
int shim_sha256(const EVP_MD *sha256, const void *data, size_t count, unsigned char *out);

/// Keys `ctx` for HMAC-SHA-256 with `count` bytes at `key`. Returns 1 on success.
static inline int shim_hmac_sha256_init(EVP_MAC_CTX *ctx, const unsigned char *key, size_t count) {
    char digest[] = "SHA256";
    OSSL_PARAM params[2] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(ctx, key, count, params);
}

/// HKDF-SHA-256, extract and expand (RFC 5869). Returns 1 on success.
static inline int shim_hkdf_sha256(EVP_KDF *kdf, const void *key, size_t keyCount, const void *salt, size_t saltCount, const void *info,
                                   size_t infoCount, unsigned char *out, size_t outCount) {
    char digest[] = "SHA256";
    OSSL_PARAM params[5], *p = params;
    *p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key, keyCount);
    if (saltCount > 0) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, saltCount);
    if (infoCount > 0) *p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, infoCount);
    *p = OSSL_PARAM_construct_end();
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    if (ctx == NULL) return 0;
    int ok = EVP_KDF_derive(ctx, out, outCount, params);
    EVP_KDF_CTX_free(ctx);
    return ok;
}

/// Sets the tag that the next decryption must match, or reads the tag that the last encryption made. Returns 1 on success.
static inline int shim_gcm_set_tag(EVP_CIPHER_CTX *ctx, int count, const void *tag) {
    return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, count, (void *)tag);
}
static inline int shim_gcm_get_tag(EVP_CIPHER_CTX *ctx, int count, void *tag) {
    return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, count, tag);
}

/// Opens one message with a context that has its key: nonce, associated data, `count` bytes of ciphertext and the tag behind them.
/// Returns 1 when the tag is right.
static inline int shim_gcm_open(EVP_CIPHER_CTX *ctx, const void *nonce, const void *aad, int aadCount, const void *sealed, int count, void *out,
                                int tagCount) {
    int written = 0;
    unsigned char none[1];
    int ok = EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, 0, NULL) == 1
        && (aadCount == 0 || EVP_CipherUpdate(ctx, NULL, &written, aad, aadCount) == 1)
        && (count == 0 || EVP_CipherUpdate(ctx, out, &written, sealed, count) == 1)
        && shim_gcm_set_tag(ctx, tagCount, (const unsigned char *)sealed + count) == 1
        && EVP_CipherFinal_ex(ctx, none, &written) == 1;
    if (!ok) ERR_clear_error();
    return ok;
}

/// `prctl` is variadic, so Swift does not see it. Forbids core dumps and ptrace by the same user.
static inline int shim_forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

// TLS and X.509

static inline int shim_ctx_set_versions(SSL_CTX *ctx, int min, int max) {
    return SSL_CTX_set_min_proto_version(ctx, min) == 1 && SSL_CTX_set_max_proto_version(ctx, max) == 1;
}
static inline int shim_ctx_set_groups(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_groups_list(ctx, list); }
static inline int shim_ctx_set_signature_algorithms(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_sigalgs_list(ctx, list); }
static inline int shim_ctx_add_chain_certificate(SSL_CTX *ctx, X509 *certificate) { return (int)SSL_CTX_add1_chain_cert(ctx, certificate); }
static inline void shim_ctx_keep_no_sessions(SSL_CTX *ctx) { SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); }
static inline int shim_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }

/// What every context of ours sets. A moving write buffer: a write that had to wait is repeated from the same bytes at another address.
static inline void shim_ctx_set_common(SSL_CTX *ctx) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_mode(ctx, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
static inline void shim_ctx_forbid_tickets(SSL_CTX *ctx) { SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET); }
static inline void shim_forbid_tickets(SSL *ssl) { SSL_set_options(ssl, SSL_OP_NO_TICKET); }

static inline void shim_bio_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void shim_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
/// The bytes that a memory BIO holds; they stay the BIO's.
static inline const void *shim_bio_bytes(BIO *bio, size_t *count) {
    char *start = NULL;
    long held = BIO_get_mem_data(bio, &start);
    *count = held > 0 ? (size_t)held : 0;
    return start;
}

static inline EVP_PKEY *shim_generate_p256(void) { return EVP_EC_gen("P-256"); }

static inline GENERAL_NAMES *shim_general_names_new(void) { return sk_GENERAL_NAME_new_null(); }
static inline void shim_general_names_free(GENERAL_NAMES *names) { sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free); }
static inline int shim_general_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) { return sk_GENERAL_NAME_push(names, name) > 0; }
static inline int shim_general_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *shim_general_names_get(const GENERAL_NAMES *names, int i) { return sk_GENERAL_NAME_value(names, i); }

static inline STACK_OF(X509) *shim_certificates_new(void) { return sk_X509_new_null(); }
static inline int shim_certificates_push(STACK_OF(X509) *stack, X509 *certificate) { return sk_X509_push(stack, certificate) > 0; }
static inline int shim_certificates_count(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *shim_certificates_get(const STACK_OF(X509) *stack, int i) { return sk_X509_value(stack, i); }
/// Frees the stack, not the certificates in it.
static inline void shim_certificates_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

#endif
