/**
 * Native access: system calls, child processes, the vDSO, RDRAND and RDSEED, the ComScire library. The only package of
 * this module that may use the foreign linker.
 *
 * <p>Threading: stateless, or confined to the thread that uses the object, unless a type documents otherwise.
 *
 * <p>Depends on no other package of this module.
 */
package org.vhostuserrng.backends.sys;
