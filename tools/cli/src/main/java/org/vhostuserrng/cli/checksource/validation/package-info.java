/**
 * Tests of SP 800-90B that samples pass or fail: whether they are independent and identically distributed (IID, §5),
 * and the restart tests (§3.1.4).
 */
package org.vhostuserrng.cli.checksource.validation;
