/**
 * The ten min-entropy estimators of SP 800-90B §6.3, for data that need not be independent and identically distributed.
 *
 * <p>Threading: the estimators may run in parallel. They share only a
 * {@link org.vhostuserrng.cli.checksource.estimator.SymbolSequence}, which they do not change.
 */
package org.vhostuserrng.cli.checksource.estimator;
