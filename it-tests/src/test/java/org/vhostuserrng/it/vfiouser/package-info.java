/** Sessions of vfio-user clients. */
package org.vhostuserrng.it.vfiouser;
