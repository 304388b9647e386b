"""The programmes as enrolment publishes them, from the files of the folder and from administrators."""
