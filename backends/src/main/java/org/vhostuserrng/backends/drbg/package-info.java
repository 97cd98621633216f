/**
 * One CTR_DRBG (SP 800-90Ar1 §10.2.1) per guest, seeded from several sources.
 *
 * <p>Threading: all types are confined to the event loop's thread. The DRBGs of a loop share scratch memory.
 *
 * <p>Depends on {@code source} and {@code sys}.
 */
package org.vhostuserrng.backends.drbg;
