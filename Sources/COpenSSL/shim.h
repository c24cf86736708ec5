#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// Each function below stands for a macro, which Swift does not import.

static inline int copenssl_set_minimum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline long copenssl_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }

static inline void copenssl_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int copenssl_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline int copenssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

static const uint64_t copenssl_options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE;

/// An empty memory BIO says "try again" instead of "end of file".
static inline void copenssl_set_retry_when_empty(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

static inline int copenssl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline const GENERAL_NAME *copenssl_name(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}

/// The text of a DNS name or URI, whose member of the union Swift cannot see; null for another kind.
static inline const ASN1_IA5STRING *copenssl_name_text(const GENERAL_NAME *name) {
    return name->type == GEN_DNS || name->type == GEN_URI ? name->d.ia5 : 0;
}

/// EVP_PKEY_Q_keygen is variadic.
static inline EVP_PKEY *copenssl_make_ed25519_key(void) { return EVP_PKEY_Q_keygen(0, 0, "ED25519"); }

/// Whether this error means that no further object begins in a PEM text.
static inline _Bool copenssl_is_end_of_pem(unsigned long code) {
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}
