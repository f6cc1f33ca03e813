"""Coming from elsewhere: what classic InstanceHA or Masakari have, as ours."""
