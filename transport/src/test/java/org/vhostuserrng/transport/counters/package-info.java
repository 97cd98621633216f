/** Tests of the counters file. */
package org.vhostuserrng.transport.counters;
