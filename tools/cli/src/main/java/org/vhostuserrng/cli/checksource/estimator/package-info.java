/**
 * The ten min-entropy estimators of SP 800-90B §6.3, for data that need not be independent and identically distributed.
 *
 * <p>Threading: estimators read a {@link org.vhostuserrng.cli.checksource.estimator.SymbolSequence} and share nothing
 * else, so they may run in parallel.
 */
package org.vhostuserrng.cli.checksource.estimator;
