/** Unit tests of the estimators of SP 800-90B §6.3: worked examples, known distributions, and NIST's sample data. */
package org.vhostuserrng.cli.checksource.estimator;
