/** Unit tests of the IID and restart tests of SP 800-90B: worked examples, and samples with known properties. */
package org.vhostuserrng.cli.checksource.validation;
