/**
 * Native access: system calls, child processes, the vDSO, RDRAND and RDSEED, and the ComScire library. Only this
 * package of the module may use the foreign linker.
 *
 * <p>Threading: a type is stateless, or an object is confined to the thread that uses it, unless documented otherwise.
 *
 * <p>Depends on no other package of this module.
 */
package org.vhostuserrng.backends.sys;
