/**
 * Files as sources of randomness use them: opened without blocking, read into native memory, waited for;
 * and what processors have instructions for, which are called as functions are.
 *
 * <p>The only package of the module that makes native calls.
 */
package org.vhostuserrng.backends.sys;
